// The capture page: follows the station's state, says verdicts once, and hands commands on. No sentence lives here.

import { fragment, morph } from "../common/morph.js";
import { sendForm, sendNow } from "./commands.js";
import { followElsewhere, hasOtherScreen, tellOfScreens } from "./elsewhere.js";
import { followPace } from "./pace.js";
import { followPedal, onLetter } from "./pedal.js";
import { followPreflight } from "./preflight.js";
import { followPreview } from "./preview.js";
import { followScanner } from "./scanner.js";
import { RETRY_MS, askState, pause } from "./state.js";
import { followWalk } from "./walk.js";

const said = { verdict: null, notice: null };
let leaving = false;

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
      const state = await askState(after, `&elsewhere=${Number(hasOtherScreen())}`);
      lost(false);
      tellOfScreens(state.elsewhere);
      if (state.reviewing && !leaving) { location.assign("/review"); return; }
      if (state.state === "closed") followWalk(state.walk);
      if (state.face) { after = state.number; show(state.face); } else await pause(250);
    } catch {
      lost(true);
      // The station may have begun anew and count from the beginning: whatever it says next is news.
      after = -1;
      await pause(RETRY_MS);
    }
  }
}

document.addEventListener("submit", (event) => {
  // Whoever has sent another form is on the way to its answer: news of what it did must not turn them back.
  if (!event.target.matches("form[data-command]")) { leaving = true; return; }
  event.preventDefault();
  sendForm(event.target);
});

refresh(null, true);
followScanner(onLetter); // before the pedal: what a scanner types is no foot
followPedal(sendNow);
followPace();
followPreflight();
followPreview();
followElsewhere();
followWalk(face().dataset.walkAt.split(" ").map(Number)); // the first press after this is news
followState();
