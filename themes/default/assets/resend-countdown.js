// A comfort: counts down until the next code can be asked for. Without scripts the button is there, and the server says
// how long to wait.
const words = document.getElementById("resend-wait");
const button = document.getElementById("resend");
const until = Date.now() + Number(words.dataset.seconds) * 1000;
button.disabled = true;
const count = () => {
  const left = Math.ceil((until - Date.now()) / 1000);
  if (left <= 0) {
    button.disabled = false;
    words.remove();
    return;
  }
  words.textContent = left === 1 ? words.dataset.one : words.dataset.other.replace("%", left);
  setTimeout(count, 500);
};
count();
