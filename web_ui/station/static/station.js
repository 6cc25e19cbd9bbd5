// The capture page: follows the station's state, says verdicts once, and hands commands on. No sentence lives here.

import { fragment, morph } from "../common/morph.js";
import { send, sendForm } from "./commands.js";
import { followElsewhere } from "./elsewhere.js";
import { followPedal } from "./pedal.js";
import { followPreview } from "./preview.js";
import { followScanner } from "./scanner.js";
import { followWalk } from "./walk.js";

const RETRY_MS = 1500;
const said = { verdict: null, notice: null };

function face() { return document.getElementById("face"); }

function say(kind, first) {
  const news = document.getElementById(`news-${kind}`);
  const key = news ? news.dataset.key : null;
  if (key === said[kind]) return;
  said[kind] = key;
  if (!first && news) document.getElementById(`say-${kind}`).textContent = news.textContent;
}

function show(html) {
  const strip = document.getElementById("strip");
  const newest = strip && strip.lastElementChild && strip.lastElementChild.id;
  morph(face(), fragment(html));
  refresh(newest);
}

function refresh(newest, first = false) {
  say("verdict", first);
  say("notice", first);
  const strip = document.getElementById("strip");
  if (strip && strip.lastElementChild && strip.lastElementChild.id !== newest) strip.scrollLeft = strip.scrollWidth;
  document.dispatchEvent(new Event("face"));
}

function lost(isLost) { document.getElementById("lost").hidden = !isLost; }

async function followState() {
  let after = Number(face().dataset.number);
  for (;;) {
    try {
      const answer = await fetch(`/state?after=${after}`, { headers: { Accept: "application/json" } });
      if (answer.status === 401) { location.reload(); return; }
      if (!answer.ok) throw new Error(String(answer.status));
      const state = await answer.json();
      lost(false);
      if (state.reviewing) { location.assign("/review"); return; }
      if (state.state === "closed") followWalk(state.walk);
      if (state.face) { after = state.number; show(state.face); } else await pause(250);
    } catch {
      lost(true);
      await pause(RETRY_MS);
    }
  }
}

function pause(milliseconds) { return new Promise((resolve) => { setTimeout(resolve, milliseconds); }); }

document.addEventListener("submit", (event) => {
  if (!event.target.matches("form[data-command]")) return;
  event.preventDefault();
  sendForm(event.target);
});

refresh(null, true);
followPedal(send);
followPreview();
followElsewhere();
followScanner();
followState();
