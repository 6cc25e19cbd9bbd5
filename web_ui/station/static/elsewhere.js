// A second capture page says that it is one. It takes nothing from the first: both show the station. Pages of one
// browser hear of each other; of a screen at another machine the station tells.

const others = { page: false, screen: false };
let understood = false;

export function followElsewhere() {
  const channel = new BroadcastChannel("lattrang-capture");
  channel.addEventListener("message", ({ data }) => {
    if (data === "opened") channel.postMessage("here");
    if (data === "here") tell("page", true);
    // There may be a third: whoever is left answers.
    if (data === "closed" && others.page) { tell("page", false); channel.postMessage("opened"); }
  });
  document.getElementById("elsewhere-understood").addEventListener("click", () => { understood = true; show(); });
  window.addEventListener("pagehide", () => channel.postMessage("closed"));
  window.addEventListener("pageshow", (event) => { if (event.persisted) channel.postMessage("opened"); });
  channel.postMessage("opened");
}

export function hasOtherScreen() { return others.screen; }
export function tellOfScreens(isSecond) { tell("screen", isSecond); }

function tell(which, is) {
  others[which] = is;
  if (!others.page && !others.screen) understood = false;
  show();
}

function show() { document.getElementById("elsewhere").hidden = understood || !(others.page || others.screen); }
