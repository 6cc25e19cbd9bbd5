// The slip follows what the centre has confirmed.

import { followScanner } from "./scanner.js";
import { followStation } from "./walk.js";

const slip = document.getElementById("slip");

followScanner();
followStation(-1, (state) => {
  const job = state.handed_over.find((one) => one.job_id === slip.dataset.job);
  if (job && (String(job.confirmed) !== slip.dataset.confirmed || (job.complete ? "1" : "0") !== slip.dataset.complete)) location.reload();
});
