// What this browser keeps between visits: the theme, and the last inputs by machine.
const PREFIX = "asl-console.";
const MAX = 100_000; // characters: a browser has about 5 million for all

export function recall(key) {
  try { return localStorage.getItem(PREFIX + key); } catch { return null; }
}

export function remember(key, value) {
  try {
    if (value == null) localStorage.removeItem(PREFIX + key);
    else if (value.length <= MAX) localStorage.setItem(PREFIX + key, value);
  } catch { /* no storage, or none left: it is only a convenience */ }
}
