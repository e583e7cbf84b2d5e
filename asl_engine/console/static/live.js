// News from the server: one stream for this tab, closed while nobody sees it.
import { signal, useEffect, useRef } from "./lib.js";

/** "", "live" or "down". */
export const connection = signal("");
/** How often a lost connection came back: data is then asked for again. */
export const back = signal(0);
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
      // After a refusal the browser does not try again by itself.
      if (source.readyState === EventSource.CLOSED) this.timer = setTimeout(() => this.open(), AGAIN);
    };
    for (const [kind, handler] of Object.entries(this.handlers)) {
      source.addEventListener(kind, (event) => {
        if (event.lastEventId) this.query.after = event.lastEventId;
        handler(JSON.parse(event.data), this);
      });
    }
  }

    pause() { clearTimeout(this.timer); this.source?.close(); this.source = null; }
}

/** Listen to the list ({}) or to one run ({run, after}); gives the function that ends it. */
export function listen(query, handlers) {
  current?.pause();
  const mine = new Stream(query, handlers);
  current = mine;
  mine.open();
  return () => { mine.pause(); if (current === mine) current = null; };
}

export function useListStream(onRuns) {
  const handler = useRef(null);
  handler.current = onRuns;
  useEffect(() => listen({}, { runs: (message) => { waiting.value = message.inbox; handler.current?.(message); } }), []);
}

document.addEventListener("visibilitychange", () => {
  if (document.hidden) current?.pause();
  else { current?.open(); back.value += 1; }
});
