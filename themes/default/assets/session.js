// A comfort: warns before the session ends, and says so when it has. What counts is what the server says; the clock here only
// tells when to ask it, since another tab may have been at work.
const template = document.getElementById("session");
const { handle, token, warn, over } = template.dataset;
const address = `/session?${new URLSearchParams({ session: handle })}`;
const title = document.title;
const warnAt = Number(warn) * 1000;
// While the warning shows, another tab may answer it.
const often = 10_000;
let ends = Date.now() + Number(template.dataset.left) * 1000;
let dialog = null;
let dismissed = false;
let timer;

const saidBy = async (answer) => {
  const said = answer?.ok ? await answer.json().catch(() => null) : null;
  return said?.seconds ?? null;
};

const close = () => {
  dialog?.close();
  dialog?.remove();
  dialog = null;
  document.title = title;
};

const stay = async (event) => {
  event.preventDefault();
  if (template.content.getElementById("session-text").dataset.fixed) {
    dismissed = true;
    close();
    return;
  }
  const body = new URLSearchParams({ session: handle, form_token: token });
  const answer = await fetch("/session", { method: "POST", body }).catch(() => null);
  if (!answer) return;
  const seconds = await saidBy(answer);
  // A page that is too old to be believed: opened anew, it counts as activity as well.
  if (seconds === null) location.reload();
  else act(seconds);
};

const open = () => {
  if (dialog || dismissed) return;
  dialog = template.content.cloneNode(true).querySelector("dialog");
  const words = dialog.querySelector("#session-text");
  const time = new Intl.DateTimeFormat(document.documentElement.lang, { timeStyle: "short" }).format(ends);
  words.textContent = words.dataset.words.replace("%", time);
  dialog.querySelector("#stay").addEventListener("click", stay);
  dialog.addEventListener("cancel", stay);
  document.body.append(dialog);
  // Whoever works in another tab sees it there.
  document.title = `${dialog.querySelector("h2").textContent} · ${title}`;
  dialog.showModal();
};

const again = (after) => {
  clearTimeout(timer);
  timer = setTimeout(look, Math.max(after, 0));
};

// `seconds`: what the server says is left; `null` where it cannot be reached, and nobody is sent away on a guess.
const act = (seconds) => {
  if (seconds === 0) {
    location.replace(over);
    return;
  }
  if (seconds !== null) ends = Date.now() + seconds * 1000;
  const left = ends - Date.now();
  if (left > warnAt) {
    close();
    again(left - warnAt);
  } else {
    open();
    again(left > 0 ? Math.min(left, often) : often);
  }
};

const look = async () => act(await saidBy(await fetch(address).catch(() => null)));

again(ends - Date.now() - warnAt);
// Timers of a machine that slept are late.
document.addEventListener("visibilitychange", () => {
  if (!document.hidden && ends - Date.now() <= warnAt) look();
});
