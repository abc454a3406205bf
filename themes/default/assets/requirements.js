// A comfort: ticks what can be seen from here while somebody types. The server decides.
const list = document.getElementById("requirements");
const entered = document.getElementById("new_password");
const again = document.getElementById("confirm_password");
const rules = {
  length: ({ min, max }) => {
    const { length } = [...entered.value];
    return length >= Number(min) && length <= Number(max);
  },
  match: () => entered.value !== "" && entered.value === again.value,
};
const items = [...list.querySelectorAll("[data-rule]")].filter((item) => item.dataset.rule in rules);
for (const item of items) {
  const said = document.createElement("span");
  said.className = "visually-hidden";
  item.append(said);
}
const tick = () => {
  for (const item of items) {
    const met = rules[item.dataset.rule](item.dataset);
    item.toggleAttribute("data-met", met);
    item.lastElementChild.textContent = met ? ` (${list.dataset.metText})` : "";
  }
};
entered.addEventListener("input", tick);
again.addEventListener("input", tick);
tick();
