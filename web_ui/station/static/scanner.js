// A barcode scanner is a keyboard that types fast and ends with Enter. What it types is a code, wherever the focus is:
// its letters must never be taken for shortcuts, nor its Enter for a foot or for the end of a form.

const FAST_MS = 100; // between two keys of a code; a shortcut waits as long to be sure that it is none
const FAST_IN_FIELD_MS = 35; // where people type, too
const SHORTEST = 4;

let code = "";
let lastAt = -Infinity;
let before = "";
let waiting = null;

// `onLetter` gets every letter that was typed by itself outside of fields.
export function followScanner(onLetter = () => {}) {
  document.addEventListener("keydown", (event) => onKey(event, onLetter), true);
}

function onKey(event, onLetter) {
  if (event.ctrlKey || event.metaKey || event.altKey || event.repeat) return;
  const field = event.target.closest?.("input, textarea, select");
  const isOfCode = event.timeStamp - lastAt < (field ? FAST_IN_FIELD_MS : FAST_MS);
  if (event.key.length === 1) onCharacter(event, field, isOfCode, onLetter);
  else if (event.key === "Enter" && isOfCode) onEnd(event, field);
  else if (event.key === "Backspace" && isOfCode) {
    // A keyboard driver for Vietnamese takes letters back and puts one with marks in their place.
    forget();
    code = code.slice(0, -1);
    lastAt = event.timeStamp;
  } else if (event.key !== "Shift") settle();
}

function onCharacter(event, field, isOfCode, onLetter) {
  if (!isOfCode) {
    settle();
    if (event.key === " ") return;
    code = "";
    before = field?.value;
  }
  code += event.key;
  lastAt = event.timeStamp;
  if (field) return;
  if (isOfCode) { forget(); take(event); return; }
  const tell = () => { waiting = null; onLetter(event.key); };
  waiting = { timer: setTimeout(tell, FAST_MS), tell };
}

function onEnd(event, field) {
  const whole = code.trim();
  lastAt = -Infinity;
  if (whole.length < SHORTEST) { if (!field) take(event); return; }
  take(event);
  if (field) field.value = before;
  const form = document.getElementById("scanned");
  form.elements.barcode.value = whole;
  form.requestSubmit();
}

function settle() {
  lastAt = -Infinity;
  const told = waiting;
  forget();
  told?.tell();
}

function forget() { clearTimeout(waiting?.timer); waiting = null; }

function take(event) { event.preventDefault(); event.stopImmediatePropagation(); }
