// What the page says of itself: short notices, read out by screen readers too.
import { html, signal, use } from "../lib.js";

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
