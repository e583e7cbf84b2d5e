// A picture that the server has drawn, of which the page only changes classes and words.
import { html, useEffect, useRef } from "../lib.js";
import { SIGNS } from "../text.js";

function name(node, standing) {
  const seen = [...node.querySelectorAll(":scope > text")].map((one) => one.textContent).join(" ");
  if (node.getAttribute("role") === "button") node.setAttribute("aria-label", standing ? `${seen}, ${standing.replace("-", " ")}` : seen);
  node.querySelector(":scope > title").textContent = `${node.dataset.state}\n${seen}`;
}

/** Set the classes and words; a place without a mark was not reached. */
function mark(made, marks, taken) {
  for (const node of made.querySelectorAll("g.node")) {
    const known = marks.get(node.dataset.place), standing = known?.standing || "not-reached";
    for (const one of Object.keys(SIGNS)) node.classList.toggle(one, one === standing);
    const told = node.querySelector(":scope > text.told");
    const text = `${SIGNS[standing]} ${known?.text || standing.replace("-", " ")}`;
    if (told && told.textContent !== text) told.textContent = text;
    name(node, standing);
  }
  for (const edge of made.querySelectorAll("g.edge, g.label")) {
    edge.classList.toggle("taken", edge.dataset.places.split(" ").some((place) => taken?.has(place)));
  }
}

/** ``marks``: {standing, text} by place; ``taken``: places of edges. */
export function Picture({ svg, marks, taken, selected, onSelect, label }) {
  const ref = useRef(null), picture = useRef(null);
  useEffect(() => {
    const parsed = new DOMParser().parseFromString(svg, "image/svg+xml").documentElement;
    if (parsed.localName !== "svg") return;
    const made = document.importNode(parsed, true);
    made.setAttribute("role", "group");
    made.setAttribute("aria-label", label);
    for (const node of onSelect ? made.querySelectorAll("g.node") : []) {
      node.setAttribute("tabindex", "0");
      node.setAttribute("role", "button");
      name(node);
    }
    ref.current.replaceChildren(made);
    picture.current = made;
  }, [svg, label]);
  useEffect(() => {
    if (picture.current && marks) mark(picture.current, marks, taken);
  }, [svg, marks, taken]);
  useEffect(() => {
    if (!onSelect) return;
    for (const node of picture.current?.querySelectorAll("g.node") || []) {
      const is = node.dataset.state === selected;
      node.classList.toggle("selected", is);
      node.setAttribute("aria-pressed", String(is));
    }
  }, [svg, selected]);
  const pick = (event) => {
    const node = event.target.closest?.("g.node");
    if (!node || !onSelect) return;
    if (event.type === "keydown" && event.key !== "Enter" && event.key !== " ") return;
    event.preventDefault();
    onSelect(node.dataset.state);
  };
  return html`<div class="picture" tabindex=${onSelect ? null : "0"} role=${onSelect ? null : "region"} aria-label=${onSelect ? null : label} ref=${ref} onClick=${pick} onKeyDown=${pick}></div>`;
}
