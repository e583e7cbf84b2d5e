// The server, asked.  Writes carry a header that a page of another origin cannot send.
import { signal, use, useEffect, useRef, useState } from "./lib.js";
import { back } from "./live.js";

const BASE = "/console/api/";
const AGAIN = 2000; // milliseconds before a read is tried again while the server or its database is away

/** Whether the server wants a token first. */
export const login = signal(false);

const TITLES = {
  Unreachable: "The server does not answer.", StoreUnavailable: "The database cannot be read at the moment.",
  ExecutionDoesNotExist: "This run does not exist, or no longer.", StateMachineDoesNotExist: "This state machine does not exist, or no longer.",
};

export class Refused extends Error {
  constructor(status, { error, message, remedy }) {
    super([message, remedy].filter(Boolean).join(" "));
    this.status = status;
    this.title = TITLES[error] || "";
    this.passes = status === 0 || status === 503; // it may well be different in a moment
  }
}

async function ask(path, options) {
  let answer, body = null;
  try {
    answer = await fetch(BASE + path, options);
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Refused(0, { error: "Unreachable", message: "The page keeps what it has, and goes on when the server is back." });
  }
  try { body = await answer.json(); } catch { /* not JSON: told below */ }
  if (answer.ok && body !== null) return body;
  if (answer.status === 401) login.value = true;
  throw new Refused(answer.status, body?.message ? body : { message: `The server answered ${answer.status}, without a reason.` });
}

export const search = (query) => new URLSearchParams(Object.entries(query).filter(([, value]) => value != null && value !== "")).toString();

export const get = (path, query = {}, signal_ = null) => ask(`${path}?${search(query)}`, { signal: signal_ });

export const post = (path, body) => ask(path, { method: "POST", headers: { "Content-Type": "application/json", "X-Asl-Console": "1" }, body: JSON.stringify(body) });

export const operation = (name, body) => post(`operations/${name}`, body);

export const whole = async (payload) => (payload?.cut ? (await ask(payload.whole.slice(BASE.length))).text : payload?.text ?? "");

/** What GET ``path`` gives, anew when the query, a key or the connection changes; ``path`` "" asks nothing. */
export function useGet(path, query = {}, ...keys) {
  const [state, setState] = useState({ data: null, error: null });
  const [turn, setTurn] = useState(0);
  const known = `${path}?${search(query)}`, asked = useRef(""), again = use(back);
  useEffect(() => {
    const control = new AbortController();
    let timer = 0;
    if (asked.current !== known) setState({ data: null, error: null });
    asked.current = known;
    const attempt = async () => {
      try {
        const data = await get(path, query, control.signal);
        if (!control.signal.aborted) setState({ data, error: null });
      } catch (error) {
        if (control.signal.aborted) return;
        setState((old) => ({ data: error.passes ? old.data : null, error }));
        if (error.passes) timer = setTimeout(attempt, AGAIN);
      }
    };
    if (path) attempt();
    return () => { control.abort(); clearTimeout(timer); };
  }, [known, turn, again, ...keys]);
  return { ...state, reload: () => setTurn((n) => n + 1) };
}

/** A list in pages: ``all`` its rows so far, ``further`` fetches more; ``key`` has the rows, ``idOf`` tells them apart. */
export function useList(path, query, key, idOf) {
  const asked = useGet(path, query), { data } = asked, [more, setMore] = useState(null), busy = useRef(null), { next } = more || data || {};
  useEffect(() => { busy.current = null; setMore(null); }, [data]);
  const known = new Set(data?.[key].map(idOf)), late = (more?.rows || []).filter((row) => !known.has(idOf(row)));
  const further = next && (() => {
    if (busy.current === next) return;
    busy.current = next;
    get(path, { ...query, after: next }).then((page) => { if (busy.current === next) setMore({ rows: [...late, ...page[key]], next: page.next }); }, () => { busy.current = null; });
  });
  return { ...asked, further, all: data ? [...data[key], ...late] : [] };
}

/** Rows by number, fetched in pages as they come into view. */
export class Pages {
  constructor(size, fetchPage) {
    Object.assign(this, { size, fetchPage, rows: new Map(), asked: new Map(), generation: 0, version: signal(0), error: signal(null) });
  }

  /** Ask for what is stale or missing among the rows from ``first`` up to ``last``. */
  want(first, last) {
    for (let page = Math.floor(first / this.size); page * this.size < last; page++) {
      if (this.asked.get(page) !== this.generation) this.fetch(page);
    }
  }

  changed() { this.version.value += 1; }

  stale() { this.generation += 1; this.changed(); }

  async fetch(page) {
    this.asked.set(page, this.generation);
    try {
      (await this.fetchPage(page * this.size, this.size)).forEach((row, i) => this.rows.set(page * this.size + i, row));
      this.error.value = null;
    } catch (error) {
      this.error.value = error;
      if (error.passes) setTimeout(() => this.stale(), AGAIN);
    }
    this.changed();
  }
}
