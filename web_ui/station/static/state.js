// Asks for the station's state. One request waits until there is news; a line that died in silence is noticed.

const SILENT_MS = 25000; // the station answers after 20 s at the latest
export const RETRY_MS = 1500;

export async function askState(after, more = "") {
  const line = new AbortController();
  const cut = () => line.abort();
  const timer = setTimeout(cut, SILENT_MS);
  // What was asked before the line came back may never be answered.
  window.addEventListener("online", cut);
  try {
    const answer = await fetch(`/state?after=${after}${more}`, { headers: { Accept: "application/json" }, signal: line.signal });
    if (answer.status === 401) location.reload();
    if (!answer.ok) throw new Error(String(answer.status));
    return await answer.json();
  } finally {
    clearTimeout(timer);
    window.removeEventListener("online", cut);
  }
}

export function pause(milliseconds) { return new Promise((resolve) => { setTimeout(resolve, milliseconds); }); }
