// A second capture page in this browser says that it is one. It takes nothing from the first: both show the station.

export function followElsewhere() {
  const bar = document.getElementById("elsewhere");
  const others = new BroadcastChannel("lattrang-capture");
  others.addEventListener("message", ({ data }) => {
    if (data === "opened") others.postMessage("here");
    if (data === "here") bar.hidden = false;
    // There may be a third: whoever is left answers.
    if (data === "closed" && !bar.hidden) { bar.hidden = true; others.postMessage("opened"); }
  });
  document.getElementById("elsewhere-understood").addEventListener("click", () => { bar.hidden = true; });
  window.addEventListener("pagehide", () => others.postMessage("closed"));
  window.addEventListener("pageshow", (event) => { if (event.persisted) others.postMessage("opened"); });
  others.postMessage("opened");
}
