// Suggestions under a search field: a combobox by the ARIA pattern. Without it the form works.
const WAIT = 120;
let boxes = 0;

// The server escapes what it sends and adds nothing but <mark>; nothing else is taken over.
function marked(html) {
  const parsed = new DOMParser().parseFromString(html, "text/html").body;
  return [...parsed.childNodes].map((part) => {
    if (part.nodeName !== "MARK") return document.createTextNode(part.textContent);
    const mark = document.createElement("mark");
    mark.textContent = part.textContent;
    return mark;
  });
}

function optionNode(id, entry) {
  const node = document.createElement("div");
  node.id = id;
  node.setAttribute("role", "option");
  node.setAttribute("aria-selected", "false");
  node.dataset.url = entry.url;
  const words = document.createElement("span");
  words.append(...marked(entry.html));
  const note = document.createElement("span");
  note.textContent = entry.note;
  node.append(words, note);
  return node;
}

function groupNode(label, options) {
  const node = document.createElement("div");
  node.setAttribute("role", "group");
  node.setAttribute("aria-label", label);
  const heading = document.createElement("p");
  heading.className = "group";
  heading.setAttribute("aria-hidden", "true");
  heading.textContent = label;
  node.append(heading, ...options);
  return node;
}

class Suggestions {
  constructor(form) {
    this.form = form;
    this.input = form.querySelector("input[name=q]");
    this.prefix = `suggest-${++boxes}`;
    this.asked = 0;
    this.list = document.createElement("div");
    this.list.id = this.prefix;
    this.list.setAttribute("role", "listbox");
    this.list.setAttribute("aria-label", "输入建议");
    this.box = document.createElement("div");
    this.box.className = "suggest";
    this.box.hidden = true;
    const foot = document.createElement("p");
    foot.className = "foot";
    foot.textContent = "上下键选择，回车检索，Esc 关闭。可输入汉字、全拼或首字母。";
    this.box.append(this.list, foot);
    form.append(this.box);
    for (const [name, value] of Object.entries({
      role: "combobox",
      "aria-expanded": "false",
      "aria-controls": this.prefix,
      "aria-autocomplete": "list",
    }))
      this.input.setAttribute(name, value);
    this.input.addEventListener("input", (event) => this.later(event));
    this.input.addEventListener("keydown", (event) => this.press(event));
    this.input.addEventListener("blur", () => setTimeout(() => this.close(), 150));
    this.list.addEventListener("mousedown", (event) => {
      const option = event.target.closest("[role=option]");
      if (option) {
        event.preventDefault();
        window.location.assign(option.dataset.url);
      }
    });
  }

  later(event) {
    if (event.isComposing) return; // letters of an input method are not yet what is meant
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.ask(), WAIT);
  }

  async ask() {
    const typed = this.input.value.trim();
    const turn = ++this.asked;
    if (!typed) return this.close();
    try {
      const answer = await fetch(`${this.form.dataset.suggest}?q=${encodeURIComponent(typed)}`);
      const found = await answer.json();
      if (turn === this.asked && document.activeElement === this.input) this.show(found);
    } catch {
      this.close(); // the form still searches
    }
  }

  show(found) {
    let number = 0;
    const nodes = (entries) => entries.map((entry) => optionNode(`${this.prefix}-${++number}`, entry));
    const groups = [];
    if (found.phrases.length) groups.push(groupNode("词语", nodes(found.phrases)));
    if (found.direct.length) groups.push(groupNode("直达", nodes(found.direct)));
    this.list.replaceChildren(...groups);
    this.options = [...this.list.querySelectorAll("[role=option]")];
    this.current = -1;
    this.input.removeAttribute("aria-activedescendant");
    this.box.hidden = !this.options.length;
    this.input.setAttribute("aria-expanded", String(!this.box.hidden));
  }

  press(event) {
    if (event.key === "Escape" && !this.box.hidden) {
      event.preventDefault();
      return this.close();
    }
    if (this.box.hidden || event.isComposing) return;
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      const step = event.key === "ArrowDown" ? 1 : -1;
      const count = this.options.length + 1; // one place is the field itself
      this.current = ((this.current + 1 + step + count) % count) - 1;
      this.options.forEach((option, index) => option.setAttribute("aria-selected", String(index === this.current)));
      if (this.current < 0) this.input.removeAttribute("aria-activedescendant");
      else this.input.setAttribute("aria-activedescendant", this.options[this.current].id);
    } else if (event.key === "Enter" && this.current >= 0) {
      event.preventDefault();
      window.location.assign(this.options[this.current].dataset.url);
    }
  }

  close() {
    this.asked++;
    this.box.hidden = true;
    this.input.setAttribute("aria-expanded", "false");
    this.input.removeAttribute("aria-activedescendant");
  }
}

export function startSuggestions() {
  for (const form of document.querySelectorAll("form[data-suggest]:not([data-suggest=''])")) new Suggestions(form);
  // Filters and order act at once where there is script; the button serves where there is none.
  for (const form of document.querySelectorAll("form[data-submit-on-change]")) {
    for (const button of form.querySelectorAll("[data-hide-with-script]")) button.hidden = true;
    form.addEventListener("change", (event) => {
      if (event.target.matches("input[type=checkbox], input[type=radio], select")) form.requestSubmit();
    });
  }
}
