// The live picture: one long-poll at a time into a canvas (an <img> of MJPEG holds on to memory), none while hidden.

const PACE_MS = 110;
const RETRY_MS = 1000;
const STALE_MS = 4000;
let heardAt = performance.now();
let drawnOn = null;

export async function followPreview() {
  setInterval(showAge, 1000);
  let after = -1;
  for (;;) {
    const startedAt = performance.now();
    if (document.hidden) { await shown(); heardAt = performance.now(); }
    if (!document.getElementById("live") || isCapturing()) { await pause(PACE_MS); continue; }
    try {
      after = await draw(after);
      await pause(PACE_MS - (performance.now() - startedAt));
    } catch {
      after = -1;
      await pause(RETRY_MS);
    }
  }
}

async function draw(after) {
  // A canvas that is new to the page shows nothing yet: any picture is news to it.
  const known = document.getElementById("live") === drawnOn ? after : -1;
  const answer = await fetch(`/preview?after=${known}`);
  // Nothing new is an answer too: a camera that does not answer is told apart by an error or by silence.
  if (answer.status === 204) { heardAt = performance.now(); return after; }
  if (!answer.ok) throw new Error(String(answer.status));
  const bitmap = await createImageBitmap(await answer.blob());
  const canvas = document.getElementById("live");
  if (canvas) {
    if (canvas.width !== bitmap.width || canvas.height !== bitmap.height) Object.assign(canvas, { width: bitmap.width, height: bitmap.height });
    canvas.getContext("2d", { alpha: false }).drawImage(bitmap, 0, 0);
    heardAt = performance.now();
    drawnOn = canvas;
    canvas.dataset.number = answer.headers.get("X-Number");
  }
  bitmap.close();
  return Number(answer.headers.get("X-Number"));
}

function showAge() {
  const line = document.getElementById("stale");
  if (!line) return;
  const age = performance.now() - heardAt;
  line.hidden = age < STALE_MS || document.hidden;
  line.querySelector("[data-seconds]").textContent = String(Math.round(age / 1000));
}

function isCapturing() { return document.getElementById("face").dataset.state === "capturing"; }

function shown() {
  return new Promise((resolve) => {
    document.addEventListener("visibilitychange", function onChange() {
      if (document.hidden) return;
      document.removeEventListener("visibilitychange", onChange);
      resolve();
    });
  });
}

function pause(milliseconds) { return new Promise((resolve) => { setTimeout(resolve, Math.max(0, milliseconds)); }); }
