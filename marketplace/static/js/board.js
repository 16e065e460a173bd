// Moving a deal by drag or by keyboard presses the same form that its "移到" select is part of.
// A lane carries data-stage, a deal its form with a select named like data-board says.

export function startBoards() {
  for (const board of document.querySelectorAll("[data-board]")) start(board);
  // A choice in "移到" needs no second press where script runs.
  for (const select of document.querySelectorAll("[data-board] .move select")) {
    select.addEventListener("change", () => {
      if (select.value) select.form.requestSubmit();
    });
  }
}

function start(board) {
  const lanes = [...board.querySelectorAll("[data-stage]")];
  let held = null;

  function mayEnter(deal, lane) {
    const select = deal.querySelector(".move select");
    return [...select.options].some((option) => option.value === lane.dataset.stage);
  }
  function drop(deal, lane) {
    const select = deal.querySelector(".move select");
    select.value = lane.dataset.stage;
    select.form.requestSubmit();
  }

  for (const deal of board.querySelectorAll(".deal")) {
    if (!deal.querySelector(".move select")) continue;
    deal.draggable = true;
    deal.addEventListener("dragstart", () => {
      held = deal;
      deal.classList.add("is-moving");
    });
    deal.addEventListener("dragend", () => {
      held = null;
      deal.classList.remove("is-moving");
      for (const lane of lanes) lane.classList.remove("is-target");
    });
    liftByKeyboard(deal);
  }

  for (const lane of lanes) {
    lane.addEventListener("dragover", (event) => {
      if (!held || !mayEnter(held, lane)) return;
      event.preventDefault();
      lane.classList.add("is-target");
    });
    lane.addEventListener("dragleave", () => lane.classList.remove("is-target"));
    lane.addEventListener("drop", (event) => {
      event.preventDefault();
      if (held) drop(held, lane);
    });
  }

  // Space lifts, arrows choose a lane, space lets down, Escape gives up.
  function liftByKeyboard(deal) {
    const handle = deal.querySelector("a");
    let target = -1;
    handle.addEventListener("keydown", (event) => {
      const open = lanes.filter((lane) => mayEnter(deal, lane));
      if (event.key === " ") {
        event.preventDefault();
        if (!deal.classList.contains("is-moving")) {
          deal.classList.add("is-moving");
          target = -1;
        } else if (target >= 0) {
          drop(deal, open[target]);
        } else {
          deal.classList.remove("is-moving");
        }
      } else if (deal.classList.contains("is-moving") && open.length && /^Arrow(Left|Right)$/.test(event.key)) {
        event.preventDefault();
        target = event.key === "ArrowRight" ? target + 1 : target - 1;
        target = (target + open.length) % open.length;
        for (const lane of lanes) lane.classList.toggle("is-target", lane === open[target]);
      } else if (event.key === "Escape") {
        deal.classList.remove("is-moving");
        for (const lane of lanes) lane.classList.remove("is-target");
      }
    });
  }
}
