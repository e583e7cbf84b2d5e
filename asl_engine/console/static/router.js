// Where one is, a path below /console; and what this browser keeps between visits.
import { signal } from "./lib.js";
import { search } from "./api.js";

const BASE = "/console";

function decoded(part) {
  try { return decodeURIComponent(part); } catch { return part; }
}

const read = () => ({
  parts: location.pathname.slice(BASE.length).split("/").filter(Boolean).map(decoded),
  query: Object.fromEntries(new URLSearchParams(location.search)),
});

export const route = signal(read());

export function to(parts, query = {}) {
  const text = search(query);
  return `${BASE}/${parts.map(encodeURIComponent).join("/")}${text && "?"}${text}`;
}

export function go(parts, query) {
  history.pushState(null, "", to(parts, query));
  route.value = read();
}

/** Change the query, without a step in the browser's history. */
export function amend(changes) {
  const { parts, query } = route.value;
  const url = to(parts, { ...query, ...changes });
  if (url === location.pathname + location.search) return;
  history.replaceState(null, "", url);
  route.value = read();
}

addEventListener("popstate", () => { route.value = read(); });

// A plain click on a link loads nothing anew.
addEventListener("click", (event) => {
  const link = event.target.closest?.("a[href]");
  if (!link || event.defaultPrevented || event.button || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
  if (link.target || link.hasAttribute("download") || link.origin !== location.origin || !link.pathname.startsWith(BASE)) return;
  if (link.pathname.startsWith(`${BASE}/api/`) || link.hash) return;
  event.preventDefault();
  if (link.href !== location.href) history.pushState(null, "", link.href);
  route.value = read();
});

const PREFIX = "asl-console.";
const MAX = 100_000; // characters: a browser has about 5 million for all

export function recall(key) {
  try { return localStorage.getItem(PREFIX + key); } catch { return null; }
}

export function remember(key, value) {
  try {
    if (value == null) localStorage.removeItem(PREFIX + key);
    else if (value.length <= MAX) localStorage.setItem(PREFIX + key, value);
  } catch { /* no storage, or none left */ }
}
