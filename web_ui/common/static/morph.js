// Makes one element look like another with the fewest changes, so that focus, scrolling and loaded pictures survive.
// Elements are matched by id, else by place and name; what carries data-keep is left to the script that draws in it.

export function morph(from, to) {
  if (!sameKind(from, to)) { from.replaceWith(to); return; }
  if (from.hasAttribute("data-keep")) return;
  morphAttributes(from, to);
  morphChildren(from, to);
}

export function fragment(html) {
  const template = document.createElement("template");
  template.innerHTML = html.trim();
  return template.content.firstElementChild;
}

function sameKind(a, b) {
  return a.nodeType === b.nodeType && a.nodeName === b.nodeName && (a.id || "") === (b.id || "");
}

function morphAttributes(from, to) {
  // What a person has opened stays open.
  const stays = (name) => name === "open" && from.nodeName === "DETAILS";
  for (const { name } of [...from.attributes]) if (!to.hasAttribute(name) && !stays(name)) from.removeAttribute(name);
  for (const { name, value } of to.attributes) if (from.getAttribute(name) !== value) from.setAttribute(name, value);
}

function morphChildren(from, to) {
  let here = from.firstChild;
  for (const wanted of [...to.childNodes]) {
    const match = find(here, wanted);
    if (!match) { from.insertBefore(wanted, here); continue; }
    while (here !== match) { const next = here.nextSibling; here.remove(); here = next; }
    here = match.nextSibling;
    if (match.nodeType !== Node.ELEMENT_NODE) { if (match.data !== wanted.data) match.data = wanted.data; }
    else morph(match, wanted);
  }
  while (here) { const next = here.nextSibling; here.remove(); here = next; }
}

// With an id, the match may stand further on; without one only the next node can be it.
function find(here, wanted) {
  if (wanted.id) {
    for (let node = here; node; node = node.nextSibling) if (sameKind(node, wanted)) return node;
    return null;
  }
  return here && sameKind(here, wanted) ? here : null;
}
