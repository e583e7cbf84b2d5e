// The history: every event, of which only those in view are in the document.
import { html, use, useEffect, useState } from "../lib.js";
import { amend } from "../router.js";
import { clock, count, duration } from "../text.js";
import { Data } from "../ui/data.js";
import { Check, facts, moment, name, pending, press, trouble } from "../ui/parts.js";
import { Windowed } from "../ui/windowed.js";

const HEIGHT = 28;
const COLUMNS = [["#", "w-seq num"], ["Type", "w-type"], ["State", ""], ["At", "w-time num"], ["After", "w-took num optional"]];
const show = (event) => amend({ event, state: "", entry: "" });

export function Events({ store, isOver, at, selected }) {
  const { events } = store, total = use(store.total), version = use(events.version), error = use(events.error), [follow, setFollow] = useState(false);
  const row = (i) => {
    const event = events.rows.get(i), before = event && events.rows.get(event.previous - 1);
    if (!event) return html`<td class="num quiet">${i + 1}</td><td colspan="4" class="quiet">…</td>`;
    return html`<td class="num quiet">${event.id}</td><td><button class="link" aria-pressed=${event.id === selected} onClick=${() => show(event.id)}>${event.type}</button></td><td>${name(event.state)}</td>
      <td class="num">${clock(event.at)}</td><td class="num quiet optional">${before && `+${duration(event.at - before.at)}`}</td>`;
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
    <${Windowed} label="Events" count=${total} height=${HEIGHT} columns=${COLUMNS} row=${row} rowClass=${kind} follow=${follow && !isOver} version=${version} empty="No event yet." onNear=${(first, last) => events.want(first, last)} />`;
}

export function EventPanel({ store, id, onState }) {
  const { events } = store, version = use(events.version), error = use(events.error), event = events.rows.get(id - 1);
  useEffect(() => { if (!event) events.want(id - 1, id); }, [id, version]);
  if (!event) return pending({ error }, "the event");
  return html`<header><h2>${count(event.id)} · ${event.type}</h2></header>
    ${facts(["At", moment(event.at)], event.previous > 0 && ["After", html`<button class="link" onClick=${() => show(event.previous)}>event ${event.previous}</button>`],
      event.state && ["State", press(name(event.state), () => onState(event.state))])}
    <div><button onClick=${() => amend({ at: event.seq, tab: "" })}>See the graph as of this event</button></div>
    ${Object.entries(event.details || {}).map(([title, value]) => value != null && html`<section key=${title}><h3>${title}</h3>${typeof value !== "object" ? html`<p class="mono wrap" dir="auto">${String(value)}</p>`
      : html`<${Data} payload=${"bytes" in value ? value : { text: JSON.stringify(value) }} label=${title} />`}</section>`)}`;
}
