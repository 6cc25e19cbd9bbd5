// Sends commands one after another, each with a key of its own so that a repeat after a broken line counts once.

const GIVE_UP_MS = 4000; // a command is of its moment: what cannot be said now is not saved up for later
const RETRY_MS = 400;
let last = Promise.resolve();

export function newKey() {
  return [...crypto.getRandomValues(new Uint8Array(12))].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

export function send(path, values = {}) {
  const body = new URLSearchParams({ ...values, once: newKey() });
  const endsAt = performance.now() + GIVE_UP_MS;
  last = last.then(() => post(path, body, endsAt));
  return last;
}

// A foot that goes down and up says both at its moment: one after the other, a slow line would make a hold of a tap.
export function sendNow(path, values = {}) {
  return post(path, new URLSearchParams({ ...values, once: newKey() }), performance.now() + GIVE_UP_MS);
}

export function sendForm(form) {
  const values = Object.fromEntries(new FormData(form));
  delete values.csrf;
  return send(form.getAttribute("action"), values);
}

async function post(path, body, endsAt) {
  const token = document.querySelector('meta[name="csrf-token"]').content;
  for (let leftMs = endsAt - performance.now(); leftMs > 0; leftMs = endsAt - performance.now()) {
    try {
      const answer = await fetch(path, {
        method: "POST", body, keepalive: true, signal: AbortSignal.timeout(leftMs),
        headers: { Accept: "application/json", "X-CSRF-Token": token },
      });
      if (answer.status === 401 || answer.status === 403) { location.reload(); return; }
      if (answer.status === 409) refuse((await answer.json()).sentence);
      if (answer.status < 500) return;
    } catch { /* the line broke: the key makes it safe to say it again */ }
    await new Promise((resolve) => { setTimeout(resolve, RETRY_MS); });
  }
  refuse(document.getElementById("say-notice").dataset.unsent);
}

function refuse(sentence) {
  const old = document.getElementById("refused");
  if (old) old.remove();
  const notice = document.createElement("p");
  notice.id = "refused";
  notice.className = "notice tone-warn";
  notice.textContent = sentence;
  document.body.append(notice);
  document.getElementById("say-notice").textContent = sentence;
}
