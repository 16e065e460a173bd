// Drafts save themselves: the whole form goes to data-autosave a few seconds after a change. The
// submission key stays out of it, since that key belongs to the press of the button.

const WAIT = 4000;

export function startAutosave() {
  for (const form of document.querySelectorAll("form[data-autosave]")) watch(form);
}

function watch(form) {
  const note = document.createElement("p");
  note.className = "saved";
  note.setAttribute("role", "status");
  form.append(note);
  let timer = 0;
  let running = false;

  async function save() {
    if (form.dataset.busy) return;
    if (running) {
      timer = window.setTimeout(save, WAIT);
      return;
    }
    running = true;
    const body = new FormData(form);
    body.delete("submission_key");
    for (const [name, value] of [...body.entries()]) if (value instanceof File) body.delete(name);
    try {
      const answer = await fetch(form.dataset.autosave, {
        method: "POST",
        body,
        headers: { "X-Requested-With": "autosave" },
        credentials: "same-origin",
      });
      if (answer.ok) {
        await takeVersion(answer);
        const time = new Date().toLocaleTimeString("zh-CN", { hour: "2-digit", minute: "2-digit" });
        note.textContent = `${time} 自动保存`;
      } else {
        note.textContent = "没有自动保存，请按“保存草稿”。";
      }
    } catch {
      note.textContent = "网络不通，还没有保存；内容仍在页面上。";
    } finally {
      running = false;
    }
  }

  // The server may answer {"version": n}: the next save then builds on this one.
  async function takeVersion(answer) {
    if (!(answer.headers.get("Content-Type") || "").includes("json")) return;
    const { version } = await answer.json();
    const field = form.elements.namedItem("version");
    if (field && version !== undefined) field.value = version;
  }

  form.addEventListener("input", () => {
    window.clearTimeout(timer);
    timer = window.setTimeout(save, WAIT);
  });
  form.addEventListener("submit", () => window.clearTimeout(timer));
}
