// Everything here makes a page quicker or safer to use; nothing here makes it work.
import { startAutosave } from "./autosave.js";
import { startBoards } from "./board.js";
import { startCountdowns } from "./countdown.js";
import { startKeys } from "./keys.js";
import { guardForms } from "./once.js";
import { offerPasskeys } from "./passkeys.js";
import { startRoom } from "./room.js";
import { startRows } from "./rows.js";
import { startSuggestions } from "./suggest.js";
import { startTerms } from "./terms.js";

// The current entry of the main navigation may lie outside a phone's screen.
document.querySelector(".topnav [aria-current]")?.scrollIntoView({ inline: "center", block: "nearest" });

// After a refusal the summary of errors is read first.
document.querySelector("[data-focus]")?.focus();

// A menu of identities closes by Escape and by a press elsewhere, as menus do.
for (const menu of document.querySelectorAll("details.menu")) {
  document.addEventListener("click", (event) => {
    if (menu.open && !menu.contains(event.target)) menu.open = false;
  });
  menu.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && menu.open) {
      menu.open = false;
      menu.querySelector("summary").focus();
    }
  });
}

guardForms();
offerPasskeys();
startAutosave();
startBoards();
startCountdowns();
startKeys();
startRoom();
startRows();
startSuggestions();
startTerms();
