// Time left by the server's clock: <time data-countdown datetime="…" role="timer">. The page tells
// the server's moment of its making; what passes since then is counted by a clock that no change
// of the computer's time can move.

const SPOKEN = new Set([60, 30, 10]);

function written(seconds) {
  const s = Math.max(0, Math.floor(seconds));
  const two = (n) => String(n).padStart(2, "0");
  const days = Math.floor(s / 86400);
  const rest = `${Math.floor((s % 86400) / 3600)}:${two(Math.floor((s % 3600) / 60))}:${two(s % 60)}`;
  if (days) return `${days} 天 ${rest}`;
  return s < 3600 ? `${Math.floor(s / 60)}:${two(s % 60)}` : rest;
}

export function startCountdowns() {
  const told = Date.parse(document.body.dataset.serverNow || "");
  if (!document.querySelector("[data-countdown]") || Number.isNaN(told)) return;
  const began = performance.now();
  const speaker = document.createElement("p");
  speaker.className = "visually-hidden";
  speaker.setAttribute("aria-live", "assertive");
  document.body.append(speaker);

  function tick() {
    const now = told + performance.now() - began;
    // Looked up each time: a part of the page may have been drawn anew.
    for (const place of document.querySelectorAll("[data-countdown]")) {
      const left = (Date.parse(place.getAttribute("datetime")) - now) / 1000;
      place.textContent = written(left);
      if (SPOKEN.has(Math.floor(left))) speaker.textContent = `还剩 ${Math.floor(left)} 秒`;
      if (left <= 0 && !place.dataset.ended) {
        place.dataset.ended = "yes";
        place.dispatchEvent(new CustomEvent("countdown:end", { bubbles: true }));
      }
    }
  }
  tick();
  window.setInterval(tick, 1000);
}
