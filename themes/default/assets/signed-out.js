// Back to the application as soon as the frames have told the others, which the page's own load waits for. An application
// that does not answer is not waited for.
const goOn = () => location.replace(document.getElementById("continue").href);
if (document.readyState === "complete") goOn();
else {
  addEventListener("load", goOn, { once: true });
  setTimeout(goOn, 3000);
}
