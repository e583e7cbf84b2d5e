// Small parts that every screen uses.
import { html, signal, use, useEffect, useId, useRef, useState } from "../lib.js";
import { to } from "../router.js";
import { clock, dashed, duration, SIGNS, visible, words } from "../text.js";

/** A name of others: in its own direction, nothing hidden. */
export const name = (text) => html`<bdi>${visible(text ?? "")}</bdi>`;

/** A sign, a colour and a word. */
export const told = (standing, text = words(standing)) => html`<span class=${`told ${dashed(standing)}`}><span aria-hidden="true">${SIGNS[dashed(standing)] || "·"}</span> ${text}</span>`;

export const moment = (at, millis) => at && html`<time title=${new Date(at).toISOString()}>${clock(at, millis)}</time>`;

const now = signal(Date.now());
setInterval(() => { now.value = Date.now(); }, 1000);

/** Without ``to`` it counts on. */
export function Took({ from, to }) {
  const until = use(to == null ? now : null) ?? to;
  return from && duration(until - from);
}

export const took = ({ startedAt, stoppedAt }) => html`<${Took} from=${startedAt} to=${stoppedAt} />`;

/** It looks like a link and acts here. */
export const press = (text, action, rest) => html`<button class="link" ...${rest} onClick=${action}>${text}</button>`;

export const link = (parts, text, query) => html`<a href=${to(parts, query)}>${text}</a>`;

export const facts = (...pairs) => html`<dl class="facts">${pairs.map((pair) => pair && html`<div><dt>${pair[0]}</dt><dd>${pair[1]}</dd></div>`)}</dl>`;

/** What scrolls needs the keyboard, and a name. */
export const scroll = (kind, label, body) => html`<div class=${kind} tabindex="0" role="region" aria-label=${label}>${body}</div>`;

export const pre = (label, text) => text && html`<pre dir="auto" tabindex="0" role="group" aria-label=${label}>${text}</pre>`;

export const failure = (label, { error, cause, traceback }, where) => html`<section class="failure" aria-label=${label}><p class="what">${told("failed", name(error || "failed"))}${where}</p>
  ${pre("Cause", cause)}${traceback && html`<details><summary>Traceback</summary>${pre("Traceback", traceback)}</details>`}</section>`;

export const trouble = (error) => error && html`<div class="trouble" role="alert"><strong>${error.title}</strong> <span dir="auto">${error.message}</span></div>`;

export const pending = ({ error }, what) => trouble(error) || html`<p class="loading quiet" role="status">Loading ${what}…</p>`;

export const on = (act) => (event) => act(event.currentTarget.value);

export function Field({ label, hint, mistake, children }) {
  const id = useId();
  return html`<div class="field"><label for=${id}>${label}</label>${children(id)}${(mistake || hint) && html`<div class=${`hint ${mistake ? "bad" : ""}`}>${mistake || hint}</div>`}</div>`;
}

export const Select = ({ label, hint, value, options, onPick }) => html`<${Field} label=${label} hint=${hint}>${(id) => html`<select id=${id} onChange=${on(onPick)}>
  ${options.map(([key, title]) => html`<option key=${key} value=${key} selected=${String(key) === String(value)}>${title}</option>`)}</select>`}<//>`;

export const Input = ({ label, hint, onValue, ...rest }) => html`<${Field} label=${label} hint=${hint}>${(id) => html`<input id=${id} autocomplete="off" ...${rest} onInput=${on(onValue)} />`}<//>`;

export const Check = ({ checked, onCheck, children }) => html`<label class="row"><input type="checkbox" checked=${checked} onChange=${(event) => onCheck(event.currentTarget.checked)} /> ${children}</label>`;

/** The arrow keys go from one to the next of ``all``. */
export function arrows(event, all, back = "ArrowUp", on_ = "ArrowDown") {
  const step = { [on_]: 1, [back]: -1 }[event.key];
  if (!step || !all.includes(document.activeElement)) return null;
  event.preventDefault();
  const next = all[(all.indexOf(document.activeElement) + step + all.length) % all.length];
  next.focus();
  return next;
}

export function Tabs({ tabs, at, onSelect, label, children }) {
  const id = useId();
  const keys = (event) => arrows(event, [...event.currentTarget.children], "ArrowLeft", "ArrowRight")?.click();
  return html`<div class="tabbed">
    <div class="tabs" role="tablist" aria-label=${label} onKeyDown=${keys}>${tabs.map(([key, title, number]) => html`<button key=${key} id=${`${id}-${key}`} role="tab" aria-selected=${key === at}
      aria-controls=${id} tabindex=${key === at ? 0 : -1} onClick=${() => onSelect(key)}>${title}${number != null && html` <span class="count">${number}</span>`}</button>`)}</div>
    <div class="panel" role="tabpanel" id=${id} aria-labelledby=${`${id}-${at}`}>${children}</div></div>`;
}

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
  const ref = useRef(null), close = () => { ref.current.open = false; };
  const keys = (event) => { if (event.key === "Escape") { close(); ref.current.firstChild.focus(); } };
  return html`<details class="menu" ref=${ref} onKeyDown=${keys} onFocusOut=${(event) => ref.current.contains(event.relatedTarget) || close()}><summary class="button">${label} ▾</summary>
    <div>${items.map(([title, action]) => (typeof action === "string" ? html`<a class="button" href=${action} download onClick=${close}>${title}</a>` : html`<button onClick=${() => { close(); action(); }}>${title}</button>`))}</div></details>`;
}

/** What went wrong with a form, and the handler that sends it. */
export function useSubmit(act) {
  const [error, setError] = useState(null);
  return [error, async (event, ...rest) => {
    event.preventDefault();
    setError(null);
    try { await act(...rest); } catch (failure) { setError(failure); }
  }];
}

/** A page that has nothing to show yet. */
export const frame = (title, asked, what) => html`<div class="page"><h1>${title}</h1>${pending(asked, what)}</div>`;

const notices = signal([]);
let last = 0;

const dismiss = (id) => { notices.value = notices.value.filter((one) => one.id !== id); };

/** An ``error`` stays until it is closed. */
export function announce(text, kind = "done") {
  const id = ++last;
  notices.value = [...notices.value.filter((one) => one.text !== text).slice(-3), { id, text, kind }];
  if (kind !== "error") setTimeout(dismiss, 6000, id);
}

export const complain = (failure) => announce(`${failure.title || ""} ${failure.message || failure}`.trim(), "error");

export async function copy(text, what) {
  try {
    await navigator.clipboard.writeText(text);
    announce(`${what} is on the clipboard.`);
  } catch { complain("The browser does not let this page use the clipboard: select the text and copy it."); }
}

export const Notices = () => html`<div class="notices" role="status" aria-live="polite">${use(notices).map((one) => html`<div key=${one.id} class=${`notice ${one.kind}`}>
  <span dir="auto">${one.text}</span><button class="bare" aria-label="Dismiss" onClick=${() => dismiss(one.id)}>✕</button></div>`)}</div>`;
