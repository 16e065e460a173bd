// Lists worked through by keyboard: arrows go from item to item, a letter presses its button.
// Keys count only while the item itself is focused, so that nobody acts by typing elsewhere.

export function startKeys() {
  for (const list of document.querySelectorAll("[data-day-list]")) {
    list.addEventListener("keydown", (event) => press(list, event));
  }
}

function press(list, event) {
  const item = event.target;
  if (!item.matches("[data-day-item]") || event.ctrlKey || event.metaKey || event.altKey) return;
  const items = [...list.querySelectorAll("[data-day-item]")];
  const step = { ArrowDown: 1, j: 1, ArrowUp: -1, k: -1 }[event.key];
  const target = step
    ? items[items.indexOf(item) + step]
    : null;
  const button = target ?? item.querySelector(`[data-key="${CSS.escape(event.key.toLowerCase())}"]`);
  if (!button) return;
  event.preventDefault();
  if (target) target.focus();
  else button.click();
}
