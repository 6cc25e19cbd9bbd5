// A plugged-in disk is offered at the foot of the page, without taking the focus, and never while pages are captured.

const ASK_EVERY_MS = 5000;
const offer = document.getElementById("offer");
let declined = false;

async function look() {
  if (document.hidden) return;
  try {
    const answer = await fetch(offer.dataset.ask, { headers: { Accept: "application/json" } });
    if (!answer.ok) return;
    const { plugged, step } = await answer.json();
    if (!plugged) declined = false;
    // What was copied already and still sticks in the machine is no news.
    const isBusy = ["ready", "capturing"].includes(document.getElementById("face").dataset.state);
    offer.hidden = !plugged || declined || isBusy || step === "done";
  } catch { /* the page itself says when the station does not answer */ }
}

document.getElementById("offer-not-now").addEventListener("click", () => { declined = true; offer.hidden = true; });
setInterval(look, ASK_EVERY_MS);
look();
