// JSON as it was written, in lines.  It is taken apart as text: no number loses a digit.
import { complain, copy } from "./parts.js";
import { html, useEffect, useMemo, useState } from "../lib.js";
import { whole } from "../api.js";
import { count } from "../text.js";

const TOKEN = /"(?:[^"\\]|\\.)*"|-?\d[\d.eE+-]*|true|false|null|[{}[\],:]|[^\s]/g;
const FEW_LINES = 120;
const COLOURED = 40_000; // characters; beyond that lines are plain text

/** Lines of [class, text]; a text that is cut off is set out as far as it goes. */
function lines(text) {
  const out = [], tokens = text.match(TOKEN) || [];
  let line = [], depth = 0;
  const turn = () => { out.push(line); line = [["", "  ".repeat(depth)]]; };
  tokens.forEach((token, i) => {
    const first = token[0], opens = first === "{" || first === "[", closes = first === "}" || first === "]";
    const wasOpen = i > 0 && /^[{[]$/.test(tokens[i - 1]);
    if (closes) depth = Math.max(0, depth - 1);
    if (closes ? !wasOpen : wasOpen) turn();
    if (first === '"' && token.length > 1) line.push([tokens[i + 1] === ":" ? "k" : "s", token]);
    else if (/[-\d]/.test(first)) line.push(["n", token]);
    else line.push([token.length > 3 ? "l" : "", first === ":" ? ": " : token]);
    if (opens) depth += 1;
    if (first === ",") turn();
  });
  out.push(line);
  return out;
}

const plain = (line) => line.map(([, part]) => part).join("");

export const indented = (text) => lines(text).map(plain).join("\n");

/** ``more`` fetches the rest of a text that is cut. */
export function Json({ text, label, more, size }) {
  const [all, setAll] = useState(false);
  const body = useMemo(() => lines(text), [text]);
  const shown = all ? body : body.slice(0, FEW_LINES), show = () => { setAll(true); more?.(); };
  return html`<div class="json">
    <pre dir="auto" tabindex="0" role="group" aria-label=${label}>${text.length > COLOURED ? shown.map(plain).join("\n")
      : shown.map((line, i) => [i ? "\n" : "", line.map(([kind, part]) => (kind ? html`<span class=${kind}>${part}</span>` : part))])}</pre>
    <button class="copy" onClick=${() => copy(indented(text), label)} aria-label=${`Copy ${label}`}>Copy</button>
    ${(more || shown.length < body.length) && html`<button class="more" onClick=${show}>Show all ${more ? size : `${count(body.length)} lines`}</button>`}</div>`;
}

const LARGE = 4096; // bytes

const sizeOf = (bytes) => (bytes < 1024 ? `${bytes} B` : `${count(Math.round(bytes / 1024))} KiB`);

export function Data({ payload, label }) {
  const [text, setText] = useState(null), isCut = payload?.cut && text === null;
  useEffect(() => setText(null), [payload?.text]);
  return payload ? html`<${Json} text=${text ?? payload.text} label=${label} size=${sizeOf(payload.bytes)} more=${isCut && (() => whole(payload).then(setText, complain))} />` : html`<p class="quiet">none</p>`;
}

/** A stage of the data flow; ``same`` says of one that is as the one before what left it so. */
export function Stage({ title, field, payload, same, open }) {
  const [shown, setShown] = useState(Boolean(open));
  return html`<details class="stage" open=${shown} onToggle=${(event) => setShown(event.currentTarget.open)}>
    <summary><strong>${title}</strong>${field && html` <code class="quiet">${field}</code>`}<span class="peek" dir="auto">${same ? "" : payload?.text.slice(0, 120)}</span>
      <span class="quiet">${same || payload?.bytes > LARGE && sizeOf(payload.bytes)}</span></summary>
    ${shown && html`<${Data} payload=${payload} label=${title} />`}</details>`;
}
