// Set-up, disk and health pages work without this: it saves loading them anew while something is under way, and lets
// the pedal walk through them.

import { fragment, morph } from "../common/morph.js";
import { sendNow } from "./commands.js";
import { followPedal } from "./pedal.js";
import { followPreview } from "./preview.js";
import { followStation } from "./walk.js";

const PACE_MS = 1500;
const RETRY_MS = 3000;
const LETTERS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";

async function follow(place) {
  for (;;) {
    await pause(Number(place.dataset.paceMs ?? PACE_MS));
    if (document.hidden) continue;
    await renew(place, place.dataset.follow, RETRY_MS);
  }
}

async function followFeet(place) {
  for (;;) {
    const after = place.firstElementChild.dataset.number;
    await renew(place, `${place.dataset.followFeet}?after=${after}`, RETRY_MS);
    await pause(100);
  }
}

async function renew(place, address, retryMs) {
  try {
    const answer = await fetch(address);
    if (answer.status === 401) { location.reload(); return; }
    if (!answer.ok) throw new Error(String(answer.status));
    const fresh = fragment(await answer.text());
    // The way on stands in the foot of the page, and may be another one by now.
    const next = fresh.querySelector("template[data-next]");
    if (next) morph(document.querySelector(".setup-next").firstElementChild, next.content.firstElementChild);
    morph(place.firstElementChild, fresh);
    showPads();
  } catch { await pause(retryMs); }
}

// A station has no keyboard but its glass: a code can be typed on it.
function showPads() {
  for (const pad of document.querySelectorAll("[data-pad]")) {
    if (pad.childElementCount) continue;
    const field = document.getElementById(pad.dataset.pad);
    for (const letter of LETTERS) key(pad, letter, letter, () => { if (field.value.length < field.maxLength) field.value += letter; });
    key(pad, "⌫", pad.dataset.clear, () => { field.value = field.value.slice(0, -1); });
    pad.hidden = false;
  }
}

function key(pad, text, label, press) {
  const button = document.createElement("button");
  button.type = "button";
  button.className = "button";
  button.textContent = text;
  button.setAttribute("aria-label", label);
  button.addEventListener("click", press);
  pad.append(button);
}

function pause(milliseconds) { return new Promise((resolve) => { setTimeout(resolve, milliseconds); }); }

const now = document.querySelector("[data-follow]");
const feet = document.querySelector("[data-follow-feet]");
const print = document.getElementById("print");
// What the test book shows changes with the station alone: its news is the moment to look.
const isBook = Boolean(document.getElementById("book-now"));
if (now && !isBook) follow(now);
if (feet) followFeet(feet);
if (isBook) followPedal(sendNow);
if (document.getElementById("live")) followPreview();
if (print) { print.hidden = false; print.addEventListener("click", () => window.print()); }
showPads();
followStation(-1, () => { if (isBook) renew(now, now.dataset.follow, RETRY_MS); });
