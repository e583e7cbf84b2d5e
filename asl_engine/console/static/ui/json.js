// JSON as it was written, set out in lines.  It is taken apart as text: no number loses a digit on its way here.
import { html, useMemo, useState } from "../lib.js";
import { count } from "../text.js";
import { copy } from "./announce.js";

const TOKEN = /"(?:[^"\\]|\\.)*"|-?\d[\d.eE+-]*|true|false|null|[{}[\],:]|[^\s]/g;
const FEW_LINES = 120;
const COLOURED = 40_000; // characters; beyond that lines are plain text
const LONG = 4000; // characters of one part, such as a picture in base64

/** The lines of a JSON text, each a list of [class, text]; what is cut off somewhere is set out as far as it goes. */
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
const isJson = (text) => /^\s*["{[\d\-tfn]/.test(text);

export const indented = (text) => (isJson(text) ? lines(text).map(plain).join("\n") : text);

const short = (part) => (part.length > LONG ? `${part.slice(0, LONG)}… (${count(part.length)} characters)` : part);

/** ``text`` is JSON, or any text. */
export function Json({ text, label }) {
  const [all, setAll] = useState(false);
  const body = useMemo(() => (isJson(text) ? lines(text) : text.split("\n").map((line) => [["", line]])), [text]);
  const shown = all ? body : body.slice(0, FEW_LINES);
  return html`<div class="json">
    <pre dir="auto" tabindex="0" role="group" aria-label=${label}>${text.length > COLOURED ? shown.map(plain).map(all ? String : short).join("\n")
      : shown.map((line, i) => [i ? "\n" : "", line.map(([kind, part]) => (kind ? html`<span class=${kind}>${short(part)}</span>` : part))])}</pre>
    <button class="copy" onClick=${() => copy(indented(text), label)} aria-label=${`Copy ${label}`}>Copy</button>
    ${shown.length < body.length && html`<button class="more" onClick=${() => setAll(true)}>Show all ${count(body.length)} lines</button>`}</div>`;
}
