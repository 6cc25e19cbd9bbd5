// The review page: keys, the pedal, and a fresh page when the list has changed. Without it everything still works.

import { followScanner } from "./scanner.js";
import { followStation } from "./walk.js";

const page = document.getElementById("review");
const shown = { revision: page.dataset.revision, slot: page.dataset.slot, queue: page.dataset.queue };
const READ_AGAIN_MS = 3000;
let leaving = false;

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.repeat || event.target.closest("input, select, textarea")) return;
  if (event.key === " " && !event.target.closest("a, button, summary")) {
    const press = document.getElementById("do-press");
    if (press) { event.preventDefault(); press.click(); }
    return;
  }
  const target = event.key.length > 1 && document.querySelector(`[data-arrow="${CSS.escape(event.key)}"]`);
  if (target) { event.preventDefault(); target.click(); }
});

followScanner((letter) => {
  if (localStorage.getItem("keys") === "off") return;
  const target = document.querySelector(`[data-key="${CSS.escape(letter.toUpperCase())}"]`);
  if (target) { open(target); target.click(); }
});

// A page that comes again by itself keeps the place in it: somebody may be walking there with the pedal.
const place = sessionStorage.getItem("place");
sessionStorage.removeItem("place");
if (place) document.getElementById(place)?.focus({ preventScroll: true });

function renew() {
  sessionStorage.setItem("place", document.activeElement?.id ?? "");
  location.reload();
}

// Whoever has sent a form is on the way to its answer: news of what it did must not turn them back.
document.addEventListener("submit", () => { leaving = true; });

function open(target) { const details = target.closest("details"); if (details) details.open = true; }

followStation(-1, (state) => {
  if (leaving) return;
  if (!state.job) { location.assign("/"); return; }
  const now = { revision: String(state.job.revision), slot: state.slot_open ? "1" : "0", queue: String(state.queue_length) };
  const typing = document.activeElement?.closest("input, select");
  if (!typing && (now.revision !== shown.revision || now.slot !== shown.slot || (shown.queue !== "0" && now.queue === "0"))) renew();
});
// Printed numbers are read behind the captures: what they tell comes later.
if (page.dataset.unread !== "0") setTimeout(() => { if (!document.activeElement?.closest("input, select, details[open]")) renew(); }, READ_AGAIN_MS);
