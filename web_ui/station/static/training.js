// One key out of training, whatever is on the screen; printing where there is a script to do it.

document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape" || event.repeat || event.ctrlKey || event.metaKey || event.altKey) return;
  // In a field the key belongs to the field: it closes a list of choices.
  if (event.target.closest("input, select, textarea")) return;
  const leave = document.getElementById("leave-training");
  if (leave) { event.preventDefault(); leave.form.requestSubmit(leave); }
});

const print = document.getElementById("print");
if (print) { print.hidden = false; print.addEventListener("click", () => window.print()); }
