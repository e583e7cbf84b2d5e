// All runs, the newest first, live; and those of a Map Run.
import { html, use, useEffect, useMemo, useRef, useState } from "../lib.js";
import { useGet, useList } from "../api.js";
import { useListStream } from "../live.js";
import { amend, go, route, to } from "../router.js";
import { count, lastPart, plural, STATUSES, words } from "../text.js";
import { facts, frame, Input, link, moment, name, scroll, Select, told, Took, took, trouble } from "../ui/parts.js";
import { Windowed } from "../ui/windowed.js";
import { StartDialog } from "./forms.js";

const SINCE = [["", "any time"], [15, "last 15 minutes"], [60, "last hour"], [1440, "last 24 hours"], [10080, "last 7 days"]];
const MINUTE = 60_000, AFTER_TYPING = 250; // milliseconds
const COLUMNS = [[html`<span class="visually-hidden">Pick</span>`, "w-pick"], ["Status", "w-status"], ["Name", "w-name"], ["Machine", "w-machine optional"], ["Started", "w-time optional"], ["Took", "w-took num"], ["Where, or what went wrong", "optional"]];

const holds = (text, part) => !part || (text || "").toLowerCase().includes(part.toLowerCase());

const fits = (run, { machine, status, name: part, error, since }) => (!machine || run.machine.arn === machine) && (!status || run.status === status) && holds(run.name, part)
  && (!error || holds(run.error, error)) && (!since || run.startedAt >= Date.now() - since * MINUTE);

/** Those that were fetched, changed by the stream. */
function useRuns(filter) {
  const query = useMemo(() => ({ ...filter, since: "", from: filter.since && Date.now() - filter.since * MINUTE, limit: 100 }), [JSON.stringify(filter)]);
  const asked = useList("runs", query, "runs", (run) => run.arn), [news, setNews] = useState({ runs: new Map(), counts: {} });
  useEffect(() => setNews({ runs: new Map(), counts: {} }), [asked.data]);
  useListStream((message) => {
    if (message.reload) asked.reload();
    else setNews((old) => ({ runs: new Map([...old.runs, ...message.runs.map((run) => [run.arn, run])]), counts: filter.machine ? {} : message.counts }));
  });
  const known = new Set(asked.all.map((run) => run.arn)), kept = asked.all.map((run) => news.runs.get(run.arn) || run).filter((run) => !news.runs.has(run.arn) || fits(run, filter));
  const oldest = asked.further && kept.length ? kept.at(-1).startedAt : 0, fresh = [...news.runs.values()].filter((run) => !known.has(run.arn) && fits(run, filter) && run.startedAt >= oldest);
  const runs = fresh.length ? [...fresh, ...kept].sort((one, other) => other.startedAt - one.startedAt) : kept;
  return { ...asked, runs, counts: { ...asked.data?.counts, ...news.counts } };
}

export function Runs() {
  const { machine = "", status = "", name: part = "", error = "", since = "", pick = "" } = use(route).query;
  const filter = { machine, status, name: part, error, since };
  const list = useRuns(filter), machines = useGet("machines", { limit: 500 }).data?.machines || [];
  const [starting, setStarting] = useState(false), typing = useRef(0);
  const picked = pick.split(" ").filter(Boolean);
  const later = (key) => (value) => { clearTimeout(typing.current); typing.current = setTimeout(() => amend({ [key]: value }), AFTER_TYPING); };
  const choose = (arn) => amend({ pick: (picked.includes(arn) ? picked.filter((one) => one !== arn) : [...picked.slice(-1), arn]).join(" ") });
  const row = (i) => {
    const run = list.runs[i];
    return html`<td class="w-pick"><input type="checkbox" aria-label=${`Pick ${run.name} to compare`} checked=${picked.includes(run.arn)} onChange=${() => choose(run.arn)} /></td>
      <td>${told(run.status)}</td><td>${link(["run", run.arn], name(run.name))}</td><td class="optional"><a class="quiet" href=${to(["machine", run.machine.arn])}>${name(run.machine.name)}</a></td>
      <td class="optional">${moment(run.startedAt, false)}</td><td class="num">${took(run)}</td>
      <td class="optional" title=${run.cause}>${run.error ? html`<span class="told failed">${name(run.error)}</span> <span class="quiet" dir="auto">${run.cause}</span>` : run.state && html`<span class="quiet">in</span> ${name(run.state)}`}</td>`;
  };
  const total = STATUSES.reduce((sum, one) => sum + (list.counts[one]?.count || 0), 0);
  const chip = (key, title, number) => html`<button aria-pressed=${status === key} onClick=${() => amend({ status: status === key ? "" : key })}>${title} <span class="count">${number}</span></button>`;
  const empty = !list.data ? "Loading…" : list.further ? html`Nothing found so far. <button onClick=${list.further}>Search further</button>`
    : Object.values(filter).some(Boolean) ? html`No run fits these filters. <button onClick=${() => go(["runs"])}>Clear the filters</button>` : "Nothing has run yet.";
  return html`<div class="page">
    <div class="head"><h1 class="titles">Runs</h1>
      <button disabled=${picked.length !== 2} onClick=${() => go(["compare"], { one: picked[0], other: picked[1] })}>Compare ${picked.length} of 2</button><button class="primary" onClick=${() => setStarting(true)}>Start a run…</button></div>
    <div class="chips" role="group" aria-label="Status">${chip("", "All", count(total))}${STATUSES.map((one) => chip(one, told(one), `${count(list.counts[one]?.count || 0)}${list.counts[one]?.more ? "+" : ""}`))}</div>
    <div class="filters">
      <${Select} label="Machine" value=${machine} onPick=${(value) => amend({ machine: value })} options=${[["", "all machines"], ...machines.map((one) => [one.arn, one.name]), ...(machine && !machines.some((one) => one.arn === machine) ? [[machine, lastPart(machine)]] : [])]} />
      <${Select} label="Started" value=${since} onPick=${(value) => amend({ since: value })} options=${SINCE} />
      <${Input} label="Name contains" type="search" value=${part} onValue=${later("name")} /><${Input} label="Error contains" type="search" value=${error} onValue=${later("error")} /></div>
    ${trouble(list.error)}
    <p class="visually-hidden" role="status">${plural(list.runs.length, "run")} shown${list.further && ", more below"}</p>
    <div class="fill boxed"><${Windowed} label="Runs" count=${list.runs.length} columns=${COLUMNS} row=${row} empty=${empty} onNear=${(_, last) => last && last > list.runs.length - 20 && list.further?.()} /></div>
    ${starting && html`<${StartDialog} title="Start a run" machine=${machine} choose=${true} onClose=${() => setStarting(false)} />`}</div>`;
}

const COUNTS = { total: "Total", pending: "Pending", running: "Running", succeeded: "Succeeded", failed: "Failed", timedOut: "Timed out", aborted: "Aborted", resultsWritten: "Written" };
const CHILD_COLUMNS = [["Status", "w-status"], ["Name", "w-name"], ["Items", "w-took num optional"], ["Started", "w-time optional"], ["Took", "w-took num"]];

export function MapRun() {
  const { parts: [, arn], query: { status = "" } } = use(route), query = { arn, status, limit: 100 };
  const asked = useList("maprun", query, "children", (run) => run.arn), { data, all: children } = asked;
  useListStream((message) => {
    if (message.reload || message.runs.some((run) => run.arn === data?.mapRun.executionArn)) asked.reload();
  });
  if (!data) return frame("Map Run", asked, "the Map Run");
  const { mapRun } = data;
  const row = (i) => {
    const run = children[i];
    return html`<td>${told(run.status)}</td><td>${link(["run", run.arn], name(run.name))}</td><td class="num optional">${run.items}</td><td class="optional">${moment(run.startedAt)}</td>
      <td class="num">${took(run)}</td>`;
  };
  const counts = (title, all) => all && html`<tr><th scope="row">${title}</th>${Object.keys(COUNTS).map((key) => html`<td class="num">${count(all[key] ?? 0)}</td>`)}</tr>`;
  return html`<div class="page">
    <div class="titles"><p class="crumbs">Map Run of ${link(["run", mapRun.executionArn], name(lastPart(mapRun.executionArn)))}</p><h1>${name(lastPart(arn))} ${told(mapRun.status)}</h1>
      ${facts(["Started", moment(mapRun.startDate)], ["Took", html`<${Took} from=${mapRun.startDate} to=${mapRun.stopDate} />`])}</div>
    ${trouble(asked.error)}
    ${scroll("simple", "Counts", html`<table><thead><tr><td></td>${Object.values(COUNTS).map((title) => html`<th scope="col" class="num">${title}</th>`)}</tr></thead><tbody>${counts("Items", mapRun.itemCounts)}${counts("Runs", mapRun.executionCounts)}</tbody></table>`)}
    <div class="filters"><${Select} label="Child runs" value=${status} onPick=${(value) => amend({ status: value })} options=${[["", "all"], ...STATUSES.map((one) => [one, words(one)])]} /></div>
    <div class="fill boxed"><${Windowed} label="Child runs" count=${children.length} columns=${CHILD_COLUMNS} row=${row} empty="No child run has this status." onNear=${(_, last) => last > children.length - 10 && asked.further?.()} /></div></div>`;
}
