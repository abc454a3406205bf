// A browser that goes back may show the page as it left it, without asking: of a session that has ended elsewhere, or of
// another account. So the page is hidden when it is left, and seen again once the server has said that its session goes
// on; else it is loaded anew, and the server says what is to be seen.
const hide = (hidden) => {
  document.documentElement.hidden = hidden;
};

const goesOn = async () => {
  const session = document.getElementById("session");
  if (!session) return false;
  const answer = await fetch(`/session?${new URLSearchParams({ session: session.dataset.handle })}`).catch(() => null);
  const said = answer?.ok ? await answer.json().catch(() => null) : null;
  return said?.seconds > 0;
};

addEventListener("pagehide", (event) => {
  if (event.persisted) hide(true);
});
addEventListener("pageshow", async (event) => {
  if (!event.persisted) return;
  hide(true);
  if (await goesOn()) hide(false);
  // Not a reload, which would send a form again.
  else location.replace(location.pathname + location.search);
});
