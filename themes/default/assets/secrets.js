// A browser that goes back fills in what was typed, and whoever goes back may be another person at the same workstation. So
// passwords and codes are taken out when their page is left, and once more when it comes back. A page that is opened for the
// first time keeps what a password manager filled in.
const SECRETS = '[type="password"], [autocomplete~="current-password"], [autocomplete~="new-password"], [autocomplete~="one-time-code"]';
const empty = () => {
  for (const input of document.querySelectorAll(SECRETS)) {
    if (input.value === "") continue;
    input.value = "";
    // For the scripts that look at what is entered.
    input.dispatchEvent(new Event("input", { bubbles: true }));
  }
};
const [opened] = performance.getEntriesByType("navigation");

addEventListener("pagehide", empty);
addEventListener("pageshow", (event) => {
  if (event.persisted || opened?.type === "back_forward") empty();
});
