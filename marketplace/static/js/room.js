// The bidding room, live: a stream of events from a service of its own, and polling where the stream
// cannot be had. The page works without this; here it only keeps up by itself.

const POLL_MS = 2000;
// The service says that it is still there every 15 seconds; the browser hides that, so the room asks
// once itself when nothing came for longer.
const QUIET_MS = 20000;
// How long the answer to a click or a form may take before the room loads itself anew over it.
const LEAVING_MS = 5000;
const ROWS = 50;
const OVER = new Set(["over", "voided", "unsealing"]);

function cell(row, text, name = "") {
  const made = row.insertCell();
  made.textContent = text;
  if (name) made.className = name;
  return made;
}

class Room {
  constructor(place) {
    this.place = place;
    this.plate = place.dataset.plate || "";
    this.position = place.dataset.position;
    this.phase = place.dataset.phase;
    this.heardAt = performance.now();
    this.polling = null;
    this.leftAt = -LEAVING_MS;
    window.addEventListener("beforeunload", () => {
      this.leftAt = performance.now();
    });
    this.speaker = document.createElement("p");
    this.speaker.className = "visually-hidden";
    this.speaker.setAttribute("aria-live", "polite");
    document.body.append(this.speaker);
    place.addEventListener("countdown:end", () => window.setTimeout(() => this.ask(), 300));
    this.listen();
    window.setInterval(() => {
      if (performance.now() - this.heardAt > QUIET_MS) this.ask();
    }, 5000);
    document.addEventListener("visibilitychange", () => {
      if (!document.hidden) this.ask();
    });
  }

  listen() {
    const address = this.place.dataset.stream;
    if (!address || !window.EventSource) {
      this.poll();
      return;
    }
    const source = new EventSource(`${address}?after=${this.position}`);
    source.onopen = () => this.stopPolling();
    source.onmessage = (event) => {
      this.stopPolling();
      this.take(JSON.parse(event.data));
    };
    source.onerror = () => {
      this.poll();
      // The browser comes back by itself after a lost connection, but not after a refusal.
      if (source.readyState === EventSource.CLOSED) window.setTimeout(() => this.listen(), 3000);
    };
  }

  poll() {
    if (this.polling === null) this.polling = window.setInterval(() => this.ask(), POLL_MS);
  }

  stopPolling() {
    window.clearInterval(this.polling);
    this.polling = null;
  }

  async ask() {
    try {
      const answer = await fetch(`${this.place.dataset.news}?after=${this.position}`);
      if (answer.ok) this.take(await answer.json());
    } catch {
      // The server is away for a moment; the next try will find it.
    }
  }

  take(news) {
    this.heardAt = performance.now();
    const position = `${news.attempt}-${news.entry}`;
    const moved = position !== this.position;
    const otherPhase = news.phase !== this.phase;
    if (!moved && !otherPhase) return;
    if (Number(this.position.split("-")[0]) !== news.attempt || OVER.has(news.phase)) {
      this.loadAnew();
      return;
    }
    this.position = position;
    this.phase = news.phase;
    if (otherPhase) this.renew("head");
    else this.showHead(news);
    if (news.bids.length) this.showBids(news);
    if (this.plate) this.renewBox();
  }

  // Loading anew while a page is on its way would take back what the person has just asked for.
  loadAnew() {
    const wait = this.leftAt + LEAVING_MS - performance.now();
    window.setTimeout(() => window.location.reload(), Math.max(0, wait));
  }

  showHead(news) {
    const stage = this.place.querySelector("[data-stage] .status");
    if (stage) stage.lastChild.textContent = news.stage;
    for (const time of document.querySelectorAll("time[data-countdown]")) {
      time.setAttribute("datetime", news.ends_at);
      delete time.dataset.ended;
    }
    const price = this.place.querySelector("[data-price]");
    if (price && news.highest) {
      const { plate, figure, unit, yuan } = news.highest;
      const [who, amount, exact] = price.children;
      who.textContent = `当前最高，${plate} 号${plate === this.plate ? "（您）" : ""}`;
      amount.firstChild.textContent = figure;
      amount.querySelector("small").textContent = ` ${unit}`;
      exact.textContent = `${yuan} 元`;
      const bar = document.querySelector("[data-bar-price]");
      if (bar) bar.textContent = `${plate} 号 ${figure} ${unit}`;
    }
  }

  showBids(news) {
    const rows = this.place.querySelector("[data-rows]");
    if (!rows) return;
    rows.querySelector("[data-none]")?.remove();
    for (const old of rows.querySelectorAll(".fresh")) old.classList.remove("fresh");
    for (const mark of rows.querySelectorAll(".status")) mark.remove();
    for (const bid of news.bids) {
      const row = rows.insertRow(0);
      row.className = "fresh";
      const own = bid.plate === this.plate;
      if (own) row.setAttribute("aria-selected", "true");
      cell(row, bid.number);
      cell(row, own ? `${bid.plate} 您` : bid.plate);
      cell(row, bid.yuan, "num");
      cell(row, bid.raise, "num hide-s");
      cell(row, bid.time);
      cell(row, bid.stage, "hide-s");
    }
    while (rows.rows.length > ROWS) rows.deleteRow(-1);
    const count = this.place.querySelector("[data-count]");
    if (count) count.textContent = news.count;
    const { plate, figure, unit } = news.highest;
    const who = plate === this.plate ? "您" : `${plate} 号`;
    this.speaker.textContent = `${who}报价 ${figure} ${unit}`;
  }

  // The box depends on who reads, so the server draws it; what is being typed is left alone.
  renewBox() {
    window.clearTimeout(this.waiting);
    this.waiting = window.setTimeout(() => {
      const box = this.place.querySelector('[data-part="box"]');
      const typed = box.querySelector("#bid")?.value;
      const busy = box.contains(document.activeElement) && document.activeElement.matches("input");
      this.renew("box").then(() => {
        const field = box.querySelector("#bid");
        if (busy && field && typed) {
          field.value = typed;
          field.focus();
        }
      });
    }, 250);
  }

  async renew(part) {
    const place = this.place.querySelector(`[data-part="${part}"]`);
    try {
      const answer = await fetch(`${this.place.dataset.live}?part=${part}`);
      if (!answer.ok) return;
      const drawn = new DOMParser().parseFromString(await answer.text(), "text/html");
      place.replaceChildren(...drawn.body.childNodes);
      startSteps(place);
    } catch {
      // As above: the next piece of news brings another try.
    }
  }
}

function yuan(fen) {
  const whole = Math.floor(fen / 100).toLocaleString("en-US");
  return fen % 100 ? `${whole}.${String(fen % 100).padStart(2, "0")}` : whole;
}

// The steps + and - change the amount in place instead of by a link; capitals come with the next page.
function startSteps(place) {
  for (const steps of place.querySelectorAll("[data-steps]")) {
    const field = steps.querySelector("input");
    const [least, step] = [Number(steps.dataset.least), Number(steps.dataset.step)];
    const [less, more] = [steps.firstElementChild, steps.lastElementChild];
    const move = (by) => (event) => {
      event.preventDefault();
      const now = Math.round(Number(field.value.replaceAll(",", "")) * 100) || least;
      field.value = yuan(Math.max(least, now + by));
      if (less.tagName === "BUTTON") less.disabled = now + by <= least;
      field.dispatchEvent(new Event("input", { bubbles: true }));
    };
    less.addEventListener("click", move(-step));
    more.addEventListener("click", move(step));
    field.addEventListener("input", () => {
      // What is written in capitals is the amount that the page came with, until the next one.
      const caps = place.querySelector("#caps");
      if (caps) caps.hidden = true;
    });
  }
}

// A finished session plays itself: one bid after another, as the record has them.
function startReplay() {
  const place = document.querySelector("[data-replay]");
  const button = place?.querySelector("[data-play]");
  if (!button) return;
  const last = Number(place.dataset.replay);
  const address = new URL(window.location.href);
  const at = Number(address.searchParams.get("step") ?? last);
  const go = (step) => {
    address.searchParams.set("step", step);
    address.hash = "";
    window.location.replace(address);
  };
  const playing = window.sessionStorage.getItem("replay") === address.pathname;
  button.hidden = false;
  button.textContent = playing ? "暂停" : "播放";
  button.addEventListener("click", () => {
    if (playing) {
      window.sessionStorage.removeItem("replay");
      window.location.reload();
    } else {
      window.sessionStorage.setItem("replay", address.pathname);
      go(at >= last ? 0 : at + 1);
    }
  });
  if (!playing) return;
  if (at < last) window.setTimeout(() => go(at + 1), 1200);
  else {
    window.sessionStorage.removeItem("replay");
    button.textContent = "播放";
  }
}

export function startRoom() {
  const place = document.querySelector("[data-room]");
  if (!place) return;
  startSteps(place);
  startReplay();
  if (place.dataset.news) new Room(place);
}
