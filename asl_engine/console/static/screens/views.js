// The views of a run: its graph, its time, its events, its states, its cost.
import { html, use, useEffect, useMemo, useRef, useState } from "../lib.js";
import { get, useGet } from "../api.js";
import { amend } from "../router.js";
import { clock, count, duration, plural, visible, words } from "../text.js";
import { mistakeIn } from "../ui/editor.js";
import { Data } from "../ui/json.js";
import { Check, facts, moment, name, pending, press, scroll, told, trouble } from "../ui/parts.js";
import { Picture } from "../ui/picture.js";
import { Windowed } from "../ui/windowed.js";

const STATE_COLUMNS = [["State", "w-state"], ["Type", "w-status"], ["Visits", "w-took num"], ["How it fared", ""]];

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

/** How all states fare; one question at a time, and then the latest. */
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
        // If the server is away, there is news when it is back.
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
  return html`<${Windowed} label="States" count=${states.length} columns=${STATE_COLUMNS} row=${row} empty="No state was entered yet." />`;
}

/** What runs like this one would cost on AWS. */
export function CostView({ arn }) {
  const asked = useGet("run/cost", { arn }), { data } = asked, money = (usd) => (usd == null ? "?" : `$ ${Number(usd).toPrecision(3)}`);
  if (!data) return pending(asked, "the cost");
  const models = Object.values(data.models).map((one) => html`<tr><th scope="row">${one.name}</th>${one.possible ? html`<td class="num">${money(one.perExecution?.usd ?? one.perExecution)}</td><td class="num">${money(one.perMonth?.usd ?? one.perMonth)}</td>` : html`<td colspan="2">${one.reasons.join(" ")}</td>`}</tr>`);
  return html`<p>${plural(data.transitions, "state transition")}; estimates for ${count(data.executionsPerMonth)} runs a month.</p>
    ${scroll("simple", "Estimates", html`<table><thead><tr><th>On AWS as</th><th class="num">a run</th><th class="num">a month</th></tr></thead><tbody>${models}</tbody></table>`)}
    ${[...data.notes, ...data.quotas].map((note) => html`<p class="quiet">${note.told ? `${note.quota}: ${note.told}` : note}</p>`)}`;
}

const MEANINGS = [["work", "work"], ["failed", "failed"], ["backoff", "back-off before a retry"], ["waiting", "waiting"]];
const MAX_DEPTH = 5, THIN = 0.3; // per cent of the width, at least

/** Pauses before a redrive or a fork are cut out. */
function scale({ began, until, pauses }) {
  const since = (end) => Math.max(0, end - began - pauses.reduce((sum, pause) => sum + Math.max(0, Math.min(pause.end, end) - Math.max(pause.begin, began)), 0));
  const length = Math.max(1, since(until));
  return { length, at: (moment) => Math.min(100, (since(moment ?? until) / length) * 100) };
}

function draw({ kind, begin, end }, at) {
  const x = Math.min(at(begin), 100 - THIN), thin = kind === "inner";
  return html`<rect class=${`bar ${kind}`} x=${`${x}%`} width=${`${Math.max(THIN, at(end) - x)}%`} y=${thin ? 5 : 1} height=${thin ? 3 : 12} />`;
}

export function Waterfall({ store, selected, onSelect }) {
  const { rows } = store, page = use(store.timeline), error = use(rows.error), version = use(rows.version), about = page && scale(page);
  const row = (i) => {
    const one = rows.rows.get(i);
    if (!one) return html`<td colspan="3" class="quiet">…</td>`;
    const title = html`<bdi>${visible(one.title)}</bdi>`;
    return html`<td><span class=${`depth-${Math.min(one.depth, MAX_DEPTH)}`}>${one.standing && told(one.standing, html`<span class="visually-hidden">${one.standing}</span>`)}
        ${one.state ? html`<button class="link" onClick=${() => onSelect(one.state, one.entry)}>${title}</button>` : html`<span class="quiet">${title}</span>`}
        ${one.attempts > 1 && html` <span class="quiet">${one.attempts} attempts</span>`}${one.note && html` <span class=${`told ${one.standing}`} dir="auto">${one.note}</span>`}</span></td>
      <td><svg aria-hidden="true">${one.bars.map((bar) => draw(bar, about.at))}</svg></td><td class="num">${duration(one.took)}</td>`;
  };
  const axis = about && html`<span class="axis">${[0, 0.5, 1].map((part) => html`<span>${duration(about.length * part)}</span>`)}</span>`;
  return html`<p class="legend">${MEANINGS.map(([kind, meaning]) => html`<span><svg aria-hidden="true" viewBox="0 0 22 11"><rect class=${`bar ${kind}`} width="22" height="11" /></svg>${meaning}</span>`)}</p>
    ${trouble(error)}
    <div class="timeline boxed"><${Windowed} label="Timeline" count=${page ? page.total : 1} height=${28} columns=${[["State", "w-state"], [axis, ""], ["Took", "w-took num"]]} row=${row} version=${version}
      rowClass=${(i) => rows.rows.get(i)?.entry === selected && "selected"} onNear=${(first, last) => rows.want(first, last)} empty="No state was entered yet." /></div>`;
}

const HEIGHT = 28;
const EVENT_COLUMNS = [["#", "w-seq num"], ["Type", "w-type"], ["State", ""], ["At", "w-time num optional"], ["After", "w-took num optional"]];
const show = (event) => amend({ event, state: "", entry: "" });

export function Events({ store, isOver, at, selected }) {
  const { events } = store, total = use(store.total), version = use(events.version), error = use(events.error), [follow, setFollow] = useState(false);
  const row = (i) => {
    const event = events.rows.get(i), before = event && events.rows.get(event.previous - 1);
    if (!event) return html`<td class="num quiet">${i + 1}</td><td colspan="4" class="quiet">…</td>`;
    return html`<td class="num quiet">${event.id}</td><td><button class="link" aria-pressed=${event.id === selected} onClick=${() => show(event.id)}>${event.type}</button></td><td>${name(event.state)}</td>
      <td class="num optional">${clock(event.at)}</td><td class="num quiet optional">${before && `+${duration(event.at - before.at)}`}</td>`;
  };
  const kind = (i) => {
    const event = events.rows.get(i);
    return event && `${event.id === selected ? "selected" : ""} ${at !== null && event.seq > at ? "later" : ""} ${/Failed|TimedOut|Aborted/.test(event.type) ? "bad" : ""}`;
  };
  const jump = (event) => {
    event.preventDefault();
    const id = Math.min(total, Math.max(1, Number(event.currentTarget.elements.id.value) || 1));
    show(id);
    event.currentTarget.closest(".panel").querySelector(".windowed").scrollTop = (id - 3) * HEIGHT;
  };
  return html`<div class="row"><span class="quiet">${count(total)} events</span><span class="grow"></span>
      <form class="row" onSubmit=${jump}><label for="jump" class="quiet">Go to event</label><input id="jump" name="id" type="number" min="1" max=${total} class="short" /></form>
      ${!isOver && html`<${Check} checked=${follow} onCheck=${setFollow}>Follow the end<//>`}</div>
    ${trouble(error)}
    <${Windowed} label="Events" count=${total} height=${HEIGHT} columns=${EVENT_COLUMNS} row=${row} rowClass=${kind} follow=${follow && !isOver} version=${version} empty="No event yet." onNear=${(first, last) => events.want(first, last)} />`;
}

export function EventPanel({ store, id, onState }) {
  const { events } = store, version = use(events.version), error = use(events.error), event = events.rows.get(id - 1);
  useEffect(() => { if (!event) events.want(id - 1, id); }, [id, version]);
  if (!event) return pending({ error }, "the event");
  return html`<header><h2>${count(event.id)} · ${event.type}</h2></header>
    ${facts(["At", moment(event.at)],
      event.state && ["State", press(name(event.state), () => onState(event.state))])}
    <div><button onClick=${() => amend({ at: event.seq, tab: "" })}>See the graph as of this event</button></div>
    ${Object.entries(event.details || {}).map(([title, value]) => value != null && html`<section key=${title}><h3>${title}</h3>${typeof value === "object" || (value[0] === "{" && !mistakeIn(value)) ? html`<${Data} payload=${value.bytes ? value : { text: value.trim ? value : JSON.stringify(value) }} label=${title} />`
      : html`<p class="mono wrap" dir="auto">${String(value)}</p>`}</section>`)}`;
}
