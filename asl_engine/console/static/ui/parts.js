// Small parts that every screen uses.  Those without a state of their own are plain functions.
import { html, signal, use, useEffect, useId, useRef, useState } from "../lib.js";
import { to } from "../router.js";
import { clock, dashed, duration, SIGNS, visible, words } from "../text.js";

/** A name from a definition or a run: in its own direction, and nothing in it hidden. */
export const name = (text) => html`<bdi>${visible(text ?? "")}</bdi>`;

/** How a state or a run fares: a sign, a colour and a word. */
export const told = (standing, text = words(standing)) => html`<span class=${`told ${dashed(standing)}`}><span aria-hidden="true">${SIGNS[dashed(standing)] || "·"}</span> ${text}</span>`;

export const moment = (at, millis) => at && html`<time title=${new Date(at).toISOString()}>${clock(at, millis)}</time>`;

const now = signal(Date.now());
setInterval(() => { now.value = Date.now(); }, 1000);

/** How long something took; without ``to`` it counts on. */
export function Took({ from, to }) {
  const until = use(to == null ? now : null) ?? to;
  return from && duration(until - from);
}

export const took = ({ startedAt, stoppedAt }) => html`<${Took} from=${startedAt} to=${stoppedAt} />`;

/** What looks like a link and does something here. */
export const press = (text, action, rest) => html`<button class="link" ...${rest} onClick=${action}>${text}</button>`;

/** A link to another page of the console. */
export const link = (parts, text, query) => html`<a href=${to(parts, query)}>${text}</a>`;

/** ``pairs`` are [title, value]; what is false is left out. */
export const facts = (...pairs) => html`<dl class="facts">${pairs.map((pair) => pair && html`<div><dt>${pair[0]}</dt><dd>${pair[1]}</dd></div>`)}</dl>`;

/** What scrolls has to be reached with the keyboard, and to have a name. */
export const scroll = (kind, label, body) => html`<div class=${kind} tabindex="0" role="region" aria-label=${label}>${body}</div>`;

export const pre = (label, text) => text && html`<pre dir="auto" tabindex="0" role="group" aria-label=${label}>${text}</pre>`;

/** What went wrong, in the server's words. */
export const trouble = (error) => error && html`<div class="trouble" role="alert"><strong>${error.title}</strong> <span dir="auto">${error.message}</span></div>`;

/** In place of what is not there yet. */
export const pending = ({ error }, what) => trouble(error) || html`<p class="loading quiet" role="status">Loading ${what}…</p>`;

/** A handler that is given the value of what was changed. */
export const on = (act) => (event) => act(event.currentTarget.value);

/** ``hint`` is said in red where it is a mistake. */
export function Field({ label, hint, mistake, children }) {
  const id = useId();
  return html`<div class="field"><label for=${id}>${label}</label>${children(id)}${(mistake || hint) && html`<div class=${`hint ${mistake ? "bad" : ""}`}>${mistake || hint}</div>`}</div>`;
}

/** ``options`` are [value, title]. */
export const Select = ({ label, hint, value, options, onPick }) => html`<${Field} label=${label} hint=${hint}>${(id) => html`<select id=${id} onChange=${on(onPick)}>
  ${options.map(([key, title]) => html`<option key=${key} value=${key} selected=${String(key) === String(value)}>${title}</option>`)}</select>`}<//>`;

export const Input = ({ label, hint, onValue, ...rest }) => html`<${Field} label=${label} hint=${hint}>${(id) => html`<input id=${id} autocomplete="off" ...${rest} onInput=${on(onValue)} />`}<//>`;

export const Check = ({ checked, onCheck, children }) => html`<label class="row"><input type="checkbox" checked=${checked} onChange=${(event) => onCheck(event.currentTarget.checked)} /> ${children}</label>`;

/** The arrow keys go from one to the next of ``all``. */
export function arrows(event, all, back = "ArrowUp", on_ = "ArrowDown") {
  const step = { [on_]: 1, [back]: -1 }[event.key];
  if (!step || !all.length) return null;
  event.preventDefault();
  const next = all[(all.indexOf(document.activeElement) + step + all.length) % all.length];
  next.focus();
  return next;
}

/** ``tabs`` are [key, title, number]. */
export function Tabs({ tabs, at, onSelect, label, children }) {
  const id = useId();
  const keys = (event) => arrows(event, [...event.currentTarget.children], "ArrowLeft", "ArrowRight")?.click();
  return html`<div class="tabbed">
    <div class="tabs" role="tablist" aria-label=${label} onKeyDown=${keys}>${tabs.map(([key, title, number]) => html`<button key=${key} id=${`${id}-${key}`} role="tab" aria-selected=${key === at}
      aria-controls=${id} tabindex=${key === at ? 0 : -1} onClick=${() => onSelect(key)}>${title}${number != null && html` <span class="count">${number}</span>`}</button>`)}</div>
    <div class="panel" role="tabpanel" id=${id} aria-labelledby=${`${id}-${at}`}>${children}</div></div>`;
}

/** A window over the page, closed by Escape; the browser keeps the focus in it. */
export function Dialog({ title, onClose, children, wide }) {
  const ref = useRef(null), id = useId();
  useEffect(() => {
    const box = ref.current;
    box.showModal();
    return () => box.close(); // it gives the focus back
  }, []);
  return html`<dialog ref=${ref} class=${wide ? "wide" : ""} aria-labelledby=${id} onCancel=${(event) => { event.preventDefault(); onClose(); }} onPointerDown=${(event) => event.target === ref.current && onClose()}>
    <div class="dialog"><header><h2 id=${id}>${title}</h2><button class="bare" aria-label="Close" onClick=${onClose}>✕</button></header>${children}</div></dialog>`;
}

/** ``items`` are [title, action or address]. */
export function Menu({ label, items }) {
  const [open, setOpen] = useState(false);
  const ref = useRef(null);
  const all = () => [...ref.current.querySelectorAll("[role=menuitem]")];
  useEffect(() => { if (open) all()[0].focus(); }, [open]);
  const keys = (event) => {
    if (event.key === "Escape") { setOpen(false); ref.current.firstChild.focus(); } else if (open) arrows(event, all());
  };
  return html`<div class="menu" ref=${ref} onKeyDown=${keys} onFocusOut=${(event) => { if (!ref.current.contains(event.relatedTarget)) setOpen(false); }}>
    <button aria-haspopup="menu" aria-expanded=${open} onClick=${() => setOpen(!open)}>${label} <span aria-hidden="true">▾</span></button>
    ${open && html`<div role="menu" aria-label=${label}>${items.map(([title, action]) => (typeof action === "string" ? html`<a role="menuitem" tabindex="-1" href=${action} download onClick=${() => setOpen(false)}>${title}</a>`
      : html`<button role="menuitem" tabindex="-1" onClick=${() => { setOpen(false); action(); }}>${title}</button>`))}</div>`}</div>`;
}
