// Digits for fingers: a station's screen may have no keyboard. Four digits send the form where it only lets somebody in.

import { followScanner } from "./scanner.js";
import { followStation } from "./walk.js";

const DIGITS = 4;
const pad = document.getElementById("pad");
const pin = document.getElementById("pin");

function button(text, label, act) {
  const made = document.createElement("button");
  made.type = "button";
  made.className = "button";
  made.textContent = text;
  if (label) made.setAttribute("aria-label", label);
  made.addEventListener("click", act);
  return made;
}

function typed() {
  const form = pin.form;
  if (pin.value.length === DIGITS && form.hasAttribute("data-sends")) form.requestSubmit();
}

if (pad) {
  for (const digit of "1234567890") {
    pad.append(button(digit, "", () => { if (pin.value.length < DIGITS) { pin.value += digit; typed(); } }));
  }
  pad.append(button("⌫", pad.dataset.clear, () => { pin.value = pin.value.slice(0, -1); }));
  pad.hidden = false;
  pin.addEventListener("input", typed);
}

followScanner();
followStation(-1, () => {});
