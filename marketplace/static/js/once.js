// One press, one request. The server holds the last word by the submission key; this only spares
// the second request and shows that the first one runs.

export function guardForms() {
  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (form.dataset.confirm && !form.dataset.busy && !window.confirm(form.dataset.confirm)) {
      event.preventDefault();
      return;
    }
    if (!form.hasAttribute("data-once")) return;
    if (form.dataset.busy) {
      event.preventDefault();
      return;
    }
    form.dataset.busy = "yes";
    event.submitter?.setAttribute("aria-busy", "true");
  });

  // A page that comes back from the history must be usable again.
  window.addEventListener("pageshow", () => {
    for (const form of document.querySelectorAll("form[data-busy]")) {
      delete form.dataset.busy;
      form.querySelector("[aria-busy]")?.removeAttribute("aria-busy");
    }
  });
}
