// A barcode scanner is a keyboard that types fast and ends with Enter: its code looks the book up wherever the focus is.

const FAST_MS = 100;
const SHORTEST = 4;

export function followScanner() {
  let typed = "";
  let lastAt = 0;
  document.addEventListener("keydown", (event) => {
    const field = document.getElementById("barcode");
    if (!field || event.target.closest?.("input, textarea, select") || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.timeStamp - lastAt > FAST_MS) typed = "";
    lastAt = event.timeStamp;
    if (event.key.length === 1) typed += event.key;
    if (event.key !== "Enter" || typed.length < SHORTEST) return;
    event.preventDefault();
    field.value = typed;
    typed = "";
    field.form.requestSubmit();
  });
}
