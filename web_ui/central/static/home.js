// Keeps the overview fresh: one small fragment every few seconds, none while nobody looks, slower when nobody answers.

import { fragment, morph } from "../common/morph.js";

const EVERY_MS = 4000;
const SLOWEST_MS = 60000;
let wait = EVERY_MS;

async function refresh() {
  const overview = document.getElementById("overview");
  if (!document.hidden) {
    try {
      const address = new URL(location.href);
      address.searchParams.set("fragment", "1");
      const answer = await fetch(address);
      if (answer.status === 401) { location.reload(); return; }
      if (!answer.ok) throw new Error(String(answer.status));
      morph(overview, fragment(await answer.text()));
      wait = EVERY_MS;
    } catch {
      wait = Math.min(wait * 2, SLOWEST_MS);
    }
    document.body.classList.toggle("is-stale", wait > EVERY_MS);
  }
  setTimeout(refresh, wait);
}

setTimeout(refresh, EVERY_MS);
