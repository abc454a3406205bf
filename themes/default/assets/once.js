// A button that is pressed twice sends its form once. A browser sends it again otherwise, with the cookies of before, and drops
// the first answer. Another button, or another form, is another matter; so is the same one once its page is shown again, or
// after a while, in which a network that was gone may be back. Buttons stay as they are: their names and values are sent.
const AGAIN_AFTER = 10_000;
let sent = new WeakMap();

addEventListener("submit", (event) => {
  const { target: form, submitter } = event;
  const before = sent.get(form);
  const now = performance.now();
  if (before?.submitter === submitter && now - before.at < AGAIN_AFTER) event.preventDefault();
  else if (!event.defaultPrevented) sent.set(form, { submitter, at: now });
});
addEventListener("pageshow", () => {
  sent = new WeakMap();
});
