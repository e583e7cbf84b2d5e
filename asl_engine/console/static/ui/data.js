// A payload: its beginning as the server sent it, and the whole of it when asked for.
import { html, useEffect, useState } from "../lib.js";
import { whole } from "../api.js";
import { count } from "../text.js";
import { complain } from "./announce.js";
import { Json } from "./json.js";

const LARGE = 4096; // bytes

const size = (bytes) => (bytes < 1024 ? `${bytes} B` : `${count(Math.round(bytes / 1024))} KiB`);

export function Data({ payload, label }) {
  const [text, setText] = useState(null);
  useEffect(() => setText(null), [payload?.text]);
  if (!payload) return html`<p class="quiet">none</p>`;
  return html`<${Json} text=${text ?? payload.text} label=${label} />
    ${payload.cut && text === null && html`<div><button onClick=${() => whole(payload).then(setText, complain)}>Show all ${size(payload.bytes)}</button></div>`}`;
}

/** A stage of a state's data flow, to be unfolded; ``same`` where it is what the stage before gave. */
export function Stage({ title, field, payload, same, open }) {
  const [shown, setShown] = useState(Boolean(open));
  return html`<details class="stage" open=${shown} onToggle=${(event) => setShown(event.currentTarget.open)}>
    <summary><strong>${title}</strong>${field && html` <code class="quiet">${field}</code>`}<span class="peek" dir="auto">${same ? "" : payload?.text.slice(0, 120)}</span>
      <span class="quiet">${same ? "same as before" : payload?.bytes > LARGE && size(payload.bytes)}</span></summary>
    ${shown && html`<${Data} payload=${payload} label=${title} />`}</details>`;
}
