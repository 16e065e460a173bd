// Rows of sub-forms are added in place. Without this, the button named add_<field> asks the server.

export function startRows() {
  for (const set of document.querySelectorAll("[data-rows]")) {
    const button = set.querySelector("[data-add-row]");
    if (button && set.querySelector("[data-row]")) {
      button.addEventListener("click", (event) => {
        event.preventDefault();
        add(set);
      });
    }
  }
}

function add(set) {
  const rows = set.querySelectorAll("[data-row]");
  const last = rows[rows.length - 1];
  const fresh = last.cloneNode(true);
  const old = rows.length - 1;
  const prefix = set.dataset.rows;
  for (const node of fresh.querySelectorAll("*")) {
    for (const name of ["name", "id", "for"]) {
      const value = node.getAttribute(name);
      if (value?.startsWith(`${prefix}-${old}-`)) {
        node.setAttribute(name, value.replace(`${prefix}-${old}-`, `${prefix}-${old + 1}-`));
      }
    }
    const label = node.getAttribute("aria-label");
    if (label) node.setAttribute("aria-label", label.replace(`第 ${old + 1} 行`, `第 ${old + 2} 行`));
    node.removeAttribute("aria-describedby");
    node.removeAttribute("aria-invalid");
    node.classList.remove("is-invalid");
    if (node.matches("select")) node.selectedIndex = 0;
    else if (node.matches("textarea")) node.value = "";
    else if (node.matches("input[type=checkbox], input[type=radio]")) node.checked = false;
    else if (node.matches("input:not([type=hidden])")) node.value = "";
    else if (node.matches("[data-row-number]")) node.textContent = String(old + 2);
  }
  for (const error of fresh.querySelectorAll(".invalid-feedback")) error.remove();
  last.after(fresh);
  fresh.querySelector("input:not([type=hidden]), select, textarea")?.focus();
}
