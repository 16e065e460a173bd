// While a need is being written: the terms that experts use, each taken over by one press. Without
// script the form has a button that saves and shows them.
const WAIT = 700;

export function startTerms() {
  for (const place of document.querySelectorAll("[data-propose-terms]")) watch(place);
}

function watch(place) {
  const form = place.closest("form");
  const field = form.elements.namedItem("expert_terms");
  const told = ["title", "problem", "present_solution"].map((name) => form.elements.namedItem(name));
  for (const button of form.querySelectorAll("[data-hide-with-script]")) button.hidden = true;
  let timer = 0;
  let asked = 0;

  async function ask() {
    const number = ++asked;
    const body = new FormData();
    for (const input of [...told, field, form.elements.namedItem("csrf_token")]) {
      if (input) body.append(input.name, input.value);
    }
    try {
      const answer = await fetch(place.dataset.proposeTerms, {
        method: "POST",
        body,
        credentials: "same-origin",
      });
      // A slow answer must not replace the one to what was typed after it.
      if (answer.ok && number === asked) take(await answer.text());
    } catch {
      // The next change asks again.
    }
  }

  function take(html) {
    const parsed = new DOMParser().parseFromString(html, "text/html").body;
    place.replaceChildren(...parsed.childNodes);
  }

  for (const input of told) {
    input?.addEventListener("input", () => {
      window.clearTimeout(timer);
      timer = window.setTimeout(ask, WAIT);
    });
  }

  place.addEventListener("click", (event) => {
    const button = event.target.closest("[data-accept-term]");
    if (!button) return;
    event.preventDefault();
    const marks = /[、，,；;]+/;
    const parts = field.value.split(marks.test(field.value) ? marks : /\s+/);
    const held = parts.map((part) => part.trim()).filter(Boolean);
    if (!held.includes(button.value)) field.value = [...held, button.value].join("、");
    field.dispatchEvent(new Event("input", { bubbles: true }));
    const next = button.closest("li").nextElementSibling?.querySelector("button");
    button.closest("li").remove();
    (next || field).focus();
  });
}
