// A comfort: shows what is typed into a password field. Without scripts the button is not there.
for (const secret of document.querySelectorAll(".secret")) {
  const input = secret.querySelector("input");
  const button = document.createElement("button");
  const show = (shown) => {
    input.type = shown ? "text" : "password";
    button.textContent = shown ? secret.dataset.hide : secret.dataset.show;
  };
  button.type = "button";
  button.className = "reveal";
  button.setAttribute("aria-controls", input.id);
  button.addEventListener("click", () => {
    show(input.type === "password");
    input.focus();
  });
  // Browsers offer to save only what is in a password field when the form leaves.
  input.form.addEventListener("submit", () => show(false));
  // A page that is brought back is as it was left.
  addEventListener("pagehide", () => show(false));
  show(false);
  secret.append(button);
}
