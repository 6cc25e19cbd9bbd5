// The button and the keyboard as pedals: down is a press, up is a release, so holding works as with a foot.

import { newKey } from "./commands.js";

const HELD_MS = 800;
let isDown = false;
let foot = "";
let heldTimer = 0;

export function followPedal(send) {
  document.addEventListener("pointerdown", (event) => {
    if (event.button === 0 && isPress(event.target)) { event.target.setPointerCapture?.(event.pointerId); down(send); }
  });
  for (const type of ["pointerup", "pointercancel"]) document.addEventListener(type, () => up(send));
  // A click without a pointer comes from a screen reader or a switch: one short press. With one it was taken above.
  document.addEventListener("click", (event) => {
    if (!isPress(event.target)) return;
    event.preventDefault();
    if (event.detail === 0 && !isDown) { down(send); up(send); }
  });
  document.addEventListener("contextmenu", (event) => { if (isPress(event.target)) event.preventDefault(); });
  document.addEventListener("keydown", (event) => onKeyDown(event, send));
  document.addEventListener("keyup", (event) => { if (isPedalKey(event)) up(send); });
  window.addEventListener("blur", () => up(send));
  document.addEventListener("visibilitychange", () => { if (document.hidden) up(send); });
  document.addEventListener("face", showKeys);
  document.addEventListener("click", (event) => { if (event.target.closest?.("#keys")) toggleKeys(); });
  showKeys();
}

function onKeyDown(event, send) {
  if (event.ctrlKey || event.metaKey || event.altKey || isField(event.target)) return;
  if (isPedalKey(event) && !isOther(event.target)) {
    event.preventDefault();
    if (!event.repeat) down(send);
  }
}

// A letter that was typed by itself, not by a scanner.
export function onLetter(letter) {
  const button = keysAreOn() && document.querySelector(`[data-key="${CSS.escape(letter.toUpperCase())}"]:not([disabled])`);
  if (button) button.form.requestSubmit(button);
}

function down(send) {
  if (isDown || !document.getElementById("do-press")) return;
  isDown = true;
  const stage = document.getElementById("stage");
  // Feedback comes from here, before the line and the station: within a frame of the press.
  document.documentElement.classList.add("pressed");
  stage?.classList.add("flash");
  heldTimer = setTimeout(() => document.documentElement.classList.add("held"), HELD_MS);
  setTimeout(() => stage?.classList.remove("flash"), 150);
  // Press and release travel side by side: by this name the station knows which belong together.
  foot = newKey();
  send("/press", { foot });
}

function up(send) {
  if (!isDown) return;
  isDown = false;
  clearTimeout(heldTimer);
  document.documentElement.classList.remove("pressed", "held");
  send("/release", { foot });
}

function isPress(target) { return Boolean(target.closest?.("#do-press")); }
function isPedalKey(event) { return event.key === " " || event.key === "Enter"; }
function isField(target) { return Boolean(target.closest?.("input, textarea, select")); }
function isOther(target) { return Boolean(target.closest?.("a, button, summary")) && !isPress(target); }

// Single letters as shortcuts can be switched off (WCAG 2.1.4); the choice stays in this browser.
function keysAreOn() { return localStorage.getItem("keys") !== "off"; }

function toggleKeys() {
  localStorage.setItem("keys", keysAreOn() ? "off" : "on");
  showKeys();
}

function showKeys() {
  const toggle = document.getElementById("keys");
  if (!toggle) return;
  toggle.hidden = false;
  toggle.setAttribute("aria-pressed", String(keysAreOn()));
  document.documentElement.classList.toggle("keys-off", !keysAreOn());
}
