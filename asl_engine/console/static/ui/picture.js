// A picture that the server has drawn: only the elements and attributes it is made of come into the page.
import { html, useEffect, useRef } from "../lib.js";

const ELEMENTS = new Set(["svg", "g", "path", "rect", "circle", "text", "title"]);
const ATTRIBUTES = new Set(["class", "width", "height", "viewBox", "x", "y", "rx", "cx", "cy", "r", "d", "data-state", "data-place", "data-places"]);
const SVG = "http://www.w3.org/2000/svg";
const SIGNS = { succeeded: "✓", failed: "✗", caught: "↷", running: "▶", aborted: "■", "not-reached": "○" };

function copied(source) {
  const made = document.createElementNS(SVG, source.localName);
  for (const { name, value } of source.attributes) if (ATTRIBUTES.has(name)) made.setAttribute(name, value);
  for (const child of source.childNodes) {
    if (child.nodeType === Node.TEXT_NODE) made.append(child.data);
    else if (child.nodeType === Node.ELEMENT_NODE && ELEMENTS.has(child.localName)) made.append(copied(child));
  }
  return made;
}

/** A state's name for those who do not see the picture has all that is seen of it. */
function name(node, standing) {
  const seen = [...node.querySelectorAll(":scope > text")].map((one) => one.textContent).join(" ");
  if (node.getAttribute("role") === "button") node.setAttribute("aria-label", standing ? `${seen}, ${standing.replace("-", " ")}` : seen);
  node.querySelector(":scope > title").textContent = `${node.dataset.state}\n${seen}`;
}

/** Set the classes and the words of a picture to how each place fares; a place without a mark was not reached. */
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
    // Labels carry no places; they follow the edge that they are drawn with.
    if (edge.dataset.places !== undefined) edge.classList.toggle("taken", edge.dataset.places.split(" ").some((place) => taken?.has(place)));
  }
}

/** ``marks``: {standing, text} by place, and ``taken``: the places of edges; without them the picture stays as it came. */
export function Picture({ svg, marks, taken, selected, onSelect, label }) {
  const ref = useRef(null), picture = useRef(null);
  useEffect(() => {
    const parsed = new DOMParser().parseFromString(svg, "image/svg+xml").documentElement;
    if (parsed.localName !== "svg") return;
    const made = copied(parsed);
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
