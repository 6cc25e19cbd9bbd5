// Before the first picture of a book: what stands ready is asked for, and again while something does not.

import { fragment, morph } from "../common/morph.js";

const AGAIN_MS = 2500;

export async function followPreflight() {
  for (;;) {
    const card = document.getElementById("preflight");
    if (card && !document.hidden && card.dataset.again !== "0") await look(card);
    await new Promise((resolve) => { setTimeout(resolve, AGAIN_MS); document.addEventListener("face", resolve, { once: true }); });
  }
}

async function look(card) {
  try {
    const answer = await fetch(card.dataset.ask);
    if (!answer.ok) return;
    const fresh = fragment(await answer.text());
    card.dataset.again = fresh.dataset.again;
    if (card.firstElementChild) morph(card.firstElementChild, fresh); else card.append(fresh);
    card.hidden = false;
  } catch { /* the page itself says when the station does not answer */ }
}
