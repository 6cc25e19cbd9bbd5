// The pace is shown where somebody asks for it, nowhere else; the choice stays in this browser.

export function followPace() {
  document.addEventListener("face", show);
  document.addEventListener("click", (event) => {
    if (!event.target.closest?.("#pace")) return;
    localStorage.setItem("pace", isOn() ? "off" : "on");
    show();
  });
  show();
}

function isOn() { return localStorage.getItem("pace") === "on"; }

function show() {
  const toggle = document.getElementById("pace");
  if (!toggle) return;
  toggle.hidden = false;
  toggle.setAttribute("aria-pressed", String(isOn()));
  toggle.querySelector(".pace").hidden = !isOn();
}
