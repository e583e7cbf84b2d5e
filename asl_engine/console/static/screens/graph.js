// The graph of a run with how each state fares, now or as of an event; the same as a table; and the cost.
import { html, use, useEffect, useMemo, useRef, useState } from "../lib.js";
import { get, session, useGet } from "../api.js";
import { amend } from "../router.js";
import { clock, count, words } from "../text.js";
import { Json } from "../ui/json.js";
import { name, pending, press, told } from "../ui/parts.js";
import { Picture } from "../ui/picture.js";
import { Windowed } from "../ui/windowed.js";

const COLUMNS = [["State", "w-state"], ["Type", "w-status"], ["Visits", "w-took num"], ["How it fared", ""]];

/** ``over`` is the status that the run ended with: the picture is drawn anew for it. */
export function GraphView({ store, over, at, selected, onSelect }) {
  const { arn } = store, news = use(store.news), last = use(store.last), graph = useGet("run/graph", { arn }, over), marks = useMarks(arn, at, at === null ? news : 0);
  const places = useMemo(() => marks && new Map(Object.values(marks.states).map((one) => [one.place, one])), [marks]);
  const taken = useMemo(() => marks && new Set(Object.keys(marks.edges).filter((place) => marks.edges[place])), [marks]);
  if (!graph.data) return pending(graph, "the graph");
  const value = at ?? last;
  const told_ = at === null ? `now · event ${count(last)}` : `event ${count(value)} of ${count(last)}${marks ? ` · ${clock(marks.moment)} · ${words(marks.status)}` : ""}`;
  return html`<div class="scrub"><label for="scrub" class="label">Time</label>
      <input id="scrub" type="range" min="1" max=${Math.max(1, last)} value=${value} aria-valuetext=${told_} onInput=${({ currentTarget }) => amend({ at: Number(currentTarget.value) < last ? currentTarget.value : "" })} />
      <output for="scrub">${told_}</output><button disabled=${at === null} onClick=${() => amend({ at: "" })}>Now</button></div>
    <${Picture} svg=${graph.data.svg} marks=${places} taken=${taken} selected=${selected} onSelect=${onSelect} label="Graph of the run; the same as a table is under States" />`;
}

/** How all states fare as of an event, null for now; one question at a time, and then the latest. */
function useMarks(arn, at, news) {
  const [marks, setMarks] = useState(null), queue = useRef({ busy: false, next: null });
  useEffect(() => {
    const ask = async (wanted) => {
      const { current } = queue;
      current.next = wanted;
      if (current.busy) return;
      current.busy = true;
      while (current.next !== null) {
        const now = current.next;
        current.next = null;
        // Where it fails, the page says elsewhere that the server is away, and there is news when it is back.
        try { setMarks(await get("run/marks", { arn, at: now })); } catch { break; }
      }
      current.busy = false;
    };
    ask(at ?? "");
  }, [arn, at, news]);
  return marks;
}

export function States({ store, onSelect }) {
  const asked = useGet("run/states", { arn: store.arn }, use(store.news)), states = asked.data?.states;
  if (!states) return pending(asked, "the states");
  const row = (i) => {
    const one = states[i];
    return html`<td>${press(name(one.name), () => onSelect(one.name, one.last))}</td><td class="quiet">${one.type}</td><td class="num">${count(one.visits)}</td><td>${told(one.standing, one.text || undefined)}</td>`;
  };
  return html`<${Windowed} label="States" count=${states.length} columns=${COLUMNS} row=${row} empty="No state was entered yet." />`;
}

export function CostView({ arn }) {
  const has = use(session)?.features?.cost, asked = useGet(has ? "run/cost" : "", { arn });
  if (!has) return html`<p class="empty">This server does not estimate costs.</p>`;
  return asked.data ? html`<${Json} text=${JSON.stringify(asked.data)} label="Cost" />` : pending(asked, "the cost");
}
