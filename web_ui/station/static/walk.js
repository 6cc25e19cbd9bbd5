// The pedal in lists: a short press goes to the next thing, a long one opens it. The station counts, the page follows.

import { RETRY_MS, askState, pause } from "./state.js";

let walked = null;

export function followWalk(walk) {
  const before = walked;
  walked = walk;
  document.documentElement.dataset.walked = walk.join(" "); // what this page has heard of
  // A page behind another one keeps count but presses nothing: one foot must not open or hand over twice.
  // Nor does it walk where the pedal itself is on trial: until it has passed, a foot there means nothing else.
  if (!before || document.hidden || document.querySelector("[data-on-trial]")) return;
  for (let steps = walk[0] - before[0]; steps > 0; steps -= 1) next();
  if (walk[1] > before[1]) (current() ?? next())?.click();
}

function targets() {
  // What a closed part of the page holds has a place in it, too, but cannot take the focus.
  const shown = (element) => element.checkVisibility() && !element.disabled;
  const marked = [...document.querySelectorAll("[data-walk]")].filter(shown);
  const all = ":is(main, .setup-foot) :is(a.button, a.tile, a.row, button, summary)";
  return marked.length ? marked : [...document.querySelectorAll(all)].filter(shown);
}

function current() { return targets().find((element) => element === document.activeElement); }

function next() {
  const all = targets();
  const at = all.indexOf(document.activeElement);
  const target = all[(at + 1) % all.length];
  target?.focus();
  target?.scrollIntoView({ block: "nearest" });
  return target;
}

// For pages that do not follow the station's state otherwise. `onNews` gets every new state.
export async function followStation(after, onNews) {
  for (;;) {
    try {
      const state = await askState(after, "&face=no");
      if (state.number !== after) { after = state.number; followWalk(state.walk); onNews(state); }
    } catch {
      await pause(RETRY_MS);
    }
  }
}
