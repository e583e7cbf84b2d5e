// News from the server: one stream for this tab, which is closed while nobody sees the tab.
import { signal, useEffect, useRef } from "./lib.js";

/** "" before the first connection, "live", or "down" while there is none. */
export const connection = signal("");
/** Counts how often a lost connection came back: whoever shows data then asks again. */
export const back = signal(0);
/** How many tasks wait for an answer. */
export const waiting = signal(0);

const AGAIN = 2000; // milliseconds, where the browser does not try again by itself
let current = null;

class Stream {
  constructor(query, handlers) { Object.assign(this, { query, handlers, source: null, timer: 0 }); }

  open() {
    this.pause();
    if (document.hidden) return;
    const source = new EventSource(`/console/api/stream?${new URLSearchParams(this.query)}`);
    this.source = source;
    source.onopen = () => {
      if (connection.value === "down") back.value += 1;
      connection.value = "live";
    };
    source.onerror = () => {
      if (this.source !== source) return;
      connection.value = "down";
      // A refusal closes the stream for good; a lost connection the browser opens again, with Last-Event-ID.
      if (source.readyState === EventSource.CLOSED) this.timer = setTimeout(() => this.open(), AGAIN);
    };
    for (const [kind, handler] of Object.entries(this.handlers)) {
      source.addEventListener(kind, (event) => {
        if (event.lastEventId) this.query.after = event.lastEventId;
        handler(JSON.parse(event.data), this);
      });
    }
  }

  /** Close it without forgetting where it was. */
  pause() { clearTimeout(this.timer); this.source?.close(); this.source = null; }
}

/** Listen to ``query`` ({} for the list, {run: ARN, after: SEQ} for one run); gives the function that ends it. */
export function listen(query, handlers) {
  current?.pause();
  const mine = new Stream(query, handlers);
  current = mine;
  mine.open();
  return () => { mine.pause(); if (current === mine) current = null; };
}

/** Listen to the list's stream while the component is shown, and call ``onRuns`` with each message. */
export function useListStream(onRuns) {
  const handler = useRef(null);
  handler.current = onRuns;
  useEffect(() => listen({}, { runs: (message) => { waiting.value = message.inbox; handler.current?.(message); } }), []);
}

document.addEventListener("visibilitychange", () => {
  if (document.hidden) current?.pause();
  else { current?.open(); back.value += 1; }
});
// A page in the browser's back-and-forward cache may hold no connection.
addEventListener("pagehide", () => current?.pause());
addEventListener("pageshow", (event) => event.persisted && current?.open());
