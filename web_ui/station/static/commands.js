// Sends commands one after another, each with a key of its own so that a repeat after a broken line counts once.

const RETRIES = 3;
let last = Promise.resolve();

export function newKey() {
  return [...crypto.getRandomValues(new Uint8Array(12))].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

export function send(path, values = {}) {
  const body = new URLSearchParams({ ...values, once: newKey() });
  last = last.then(() => post(path, body));
  return last;
}

export function sendForm(form) {
  const values = Object.fromEntries(new FormData(form));
  delete values.csrf;
  return send(form.getAttribute("action"), values);
}

async function post(path, body, tries = RETRIES) {
  const token = document.querySelector('meta[name="csrf-token"]').content;
  try {
    const answer = await fetch(path, {
      method: "POST", body, keepalive: true, headers: { Accept: "application/json", "X-CSRF-Token": token },
    });
    if (answer.status === 401 || answer.status === 403) { location.reload(); return; }
    if (answer.status === 409) refuse((await answer.json()).sentence);
  } catch {
    if (tries <= 1) return;
    await new Promise((resolve) => { setTimeout(resolve, 400); });
    await post(path, body, tries - 1);
  }
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
