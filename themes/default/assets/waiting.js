// A comfort: the page that sent somebody to their email notices by itself that the reset is done, and says so.
const region = document.getElementById("waiting");
const until = Date.now() + Number(region.dataset.minutes) * 60_000;
const done = () => {
  region.append(document.getElementById("go-on").content.cloneNode(true));
  const over = document.querySelectorAll("main > form, main > .help");
  const wasThere = [...over].some((part) => part.contains(document.activeElement));
  for (const part of over) part.hidden = true;
  if (wasThere) region.querySelector("a").focus();
};
const ask = async () => {
  if (Date.now() > until) return;
  if (!document.hidden) {
    // A network that is gone for a moment is asked again.
    const answer = await fetch(region.dataset.waiting, { headers: { accept: "application/json" } }).catch(() => null);
    const said = answer?.ok ? await answer.json().catch(() => null) : null;
    if (said?.go === true) {
      done();
      return;
    }
  }
  setTimeout(ask, 3000);
};
setTimeout(ask, 3000);
