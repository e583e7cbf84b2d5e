// A text area with line numbers and marks; only the numbers in view are drawn.
import { html, useEffect, useRef, useState } from "../lib.js";
import { Check, complain, Field, on } from "./parts.js";

const LINE = 19, ABOVE = 8; // pixels; the style sheet has the same

export function Editor({ id, value, onInput, label, marks = [], rows = 12, control }) {
  const ref = useRef(null);
  const [view, setView] = useState({ top: 0, room: rows * LINE });
  const look = () => setView({ top: ref.current.scrollTop, room: ref.current.clientHeight });
  useEffect(look, [value]);
  if (control) control.current = (line) => goTo(ref.current, line);
  const total = value.split("\n").length, first = Math.floor(view.top / LINE), numbers = [];
  for (let i = first; i < Math.min(total, first + view.room / LINE + 1); i++) {
    const here = marks.filter((mark) => mark.line === i + 1).map((mark) => mark.severity);
    numbers.push(html`<div key=${i} class=${here.includes("ERROR") ? "error" : here.length ? "warning" : ""} style=${{ top: `${ABOVE + i * LINE - view.top}px` }}>${i + 1}</div>`);
  }
  return html`<div class="editor"><div class="numbers" aria-hidden="true">${numbers}</div>
    <textarea ref=${ref} id=${id} aria-label=${label} rows=${rows} spellcheck=${false} autocomplete="off" autocapitalize="off" wrap="off" dir="ltr" value=${value} onScroll=${look} onInput=${on(onInput)}></textarea></div>`;
}

function goTo(box, line) {
  const start = box.value.split("\n").slice(0, line - 1).join("\n").length + (line > 1 ? 1 : 0), end = box.value.indexOf("\n", start);
  box.focus({ preventScroll: true });
  box.setSelectionRange(start, end < 0 ? box.value.length : end);
  box.scrollTop = Math.max(0, (line - 4) * LINE);
}

export function mistakeIn(text) {
  if (text === null) return "";
  try { JSON.parse(text); return ""; } catch (error) { return `This is no JSON yet: ${error.message}`; }
}

export const JsonField = ({ label, hint, value, onInput, rows }) => html`<${Field} label=${label} hint=${hint} mistake=${mistakeIn(value)}>${(id) => html`<${Editor} id=${id} value=${value} rows=${rows} onInput=${onInput} />`}<//>`;

/** A JsonField that is there when it is ticked; null is "not ticked".  ``begin`` gives the text to begin with. */
export const OptionalJson = ({ tick, value, onInput, begin = () => "{}", ...rest }) => html`<${Check} checked=${value !== null} onCheck=${(wanted) => Promise.resolve(wanted ? begin() : null).then(onInput, complain)}>${tick}<//>
  ${value !== null && html`<${JsonField} value=${value} onInput=${onInput} ...${rest} />`}`;
