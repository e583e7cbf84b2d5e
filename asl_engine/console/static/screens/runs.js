// All runs, the newest first: filtered, live, and as many as there are.
import { html, use, useEffect, useRef, useState } from "../lib.js";
import { get, useGet } from "../api.js";
import { back, useListStream } from "../live.js";
import { amend, go, route, to } from "../router.js";
import { count, plural, STATUSES } from "../text.js";
import { complain } from "../ui/announce.js";
import { Input, link, moment, name, Select, told, Took, took, trouble } from "../ui/parts.js";
import { Windowed } from "../ui/windowed.js";
import { StartDialog } from "./start.js";

const SINCE = [["", "any time"], [15, "last 15 minutes"], [60, "last hour"], [1440, "last 24 hours"], [10080, "last 7 days"]];
const PAGE = 100, MINUTE = 60_000, AFTER_TYPING = 250; // runs, milliseconds
const COLUMNS = [[html`<span class="visually-hidden">Pick</span>`, "w-pick"], ["Status", "w-status"], ["Name", "w-name"], ["Machine", "w-machine"], ["Started", "w-time optional"], ["Took", "w-took num"], ["Where, or what went wrong", "optional"]];

const holds = (text, part) => !part || (text || "").toLowerCase().includes(part.toLowerCase());

const fits = (run, { machine, status, name: part, error, since }) => (!machine || run.machine.arn === machine) && (!status || run.status === status) && holds(run.name, part)
  && (!error || holds(run.error, error)) && (!since || run.startedAt >= Date.now() - since * MINUTE);

/** The runs that fit, as far as they were fetched, changed by the news of the stream. */
function useRuns(filter) {
  const [list, setList] = useState({ runs: [], next: null, counts: {}, error: null, loading: true });
  const [turn, setTurn] = useState(0);
  const again = use(back), turns = useRef(0), busy = useRef(false), { since, ...rest } = filter;
  const ask = (after) => get("runs", { ...rest, after, limit: PAGE, from: since && Date.now() - since * MINUTE });
  useEffect(() => {
    const mine = ++turns.current;
    let timer = 0;
    setList((old) => ({ ...old, loading: true }));
    const attempt = () => ask().then((page) => { if (turns.current === mine) setList({ ...page, error: null, loading: false }); }, (error) => {
      if (turns.current !== mine) return;
      setList((old) => ({ ...old, error, loading: false }));
      if (error.passes) timer = setTimeout(attempt, 2000);
    });
    attempt();
    return () => clearTimeout(timer);
  }, [JSON.stringify(filter), turn, again]);
  const more = async () => {
    if (!list.next || busy.current) return;
    busy.current = true;
    const mine = turns.current;
    try {
      const page = await ask(list.next);
      if (turns.current === mine) setList((old) => {
        const known = new Set(old.runs.map((run) => run.arn));
        return { ...old, runs: [...old.runs, ...page.runs.filter((run) => !known.has(run.arn))], next: page.next };
      });
    } catch (error) { complain(error); }
    busy.current = false;
  };
  useListStream((message) => {
    if (message.reload) setTurn((n) => n + 1);
    else setList((old) => {
      const changed = new Map(message.runs.map((run) => [run.arn, run])), known = new Set(old.runs.map((run) => run.arn));
      const kept = old.runs.map((run) => changed.get(run.arn) || run).filter((run) => !changed.has(run.arn) || fits(run, filter));
      const oldest = old.next && kept.length ? kept[kept.length - 1].startedAt : -Infinity;
      const fresh = message.runs.filter((run) => !known.has(run.arn) && fits(run, filter) && run.startedAt >= oldest);
      const runs = fresh.length ? [...fresh, ...kept].sort((one, other) => other.startedAt - one.startedAt) : kept;
      return { ...old, runs, counts: filter.machine ? old.counts : { ...old.counts, ...message.counts } };
    });
  });
  return { ...list, more };
}

export function Runs() {
  const { machine = "", status = "", name: part = "", error = "", since = "", pick = "" } = use(route).query;
  const filter = { machine, status, name: part, error, since };
  const list = useRuns(filter), machines = useGet("machines", { limit: 500 });
  const [starting, setStarting] = useState(false), typing = useRef(0);
  const picked = pick.split(" ").filter(Boolean);
  const later = (key) => (value) => { clearTimeout(typing.current); typing.current = setTimeout(() => amend({ [key]: value }), AFTER_TYPING); };
  const choose = (arn) => amend({ pick: (picked.includes(arn) ? picked.filter((one) => one !== arn) : [...picked.slice(-1), arn]).join(" ") });
  const row = (i) => {
    const run = list.runs[i];
    return html`<td class="w-pick"><input type="checkbox" aria-label=${`Pick ${run.name} to compare`} checked=${picked.includes(run.arn)} onChange=${() => choose(run.arn)} /></td>
      <td>${told(run.status)}</td><td>${link(["run", run.arn], name(run.name))}</td><td><a class="quiet" href=${to(["machine", run.machine.arn])}>${name(run.machine.name)}</a></td>
      <td class="optional">${moment(run.startedAt, false)}</td><td class="num">${took(run)}</td>
      <td class="optional" title=${run.cause}>${run.error ? html`<span class="told failed">${name(run.error)}</span> <span class="quiet" dir="auto">${run.cause}</span>` : run.state && html`<span class="quiet">in</span> ${name(run.state)}`}</td>`;
  };
  const total = STATUSES.reduce((sum, one) => sum + (list.counts[one]?.count || 0), 0);
  const chip = (key, title, number) => html`<button aria-pressed=${status === key} onClick=${() => amend({ status: status === key ? "" : key })}>${title} <span class="count">${number}</span></button>`;
  const empty = list.loading ? "Loading…" : list.next ? html`Nothing found so far. <button onClick=${list.more}>Search further</button>`
    : Object.values(filter).some(Boolean) ? html`No run fits these filters. <button onClick=${() => go(["runs"])}>Clear the filters</button>` : "Nothing has run yet.";
  return html`<div class="page">
    <div class="head"><h1 class="titles">Runs</h1>
      <button disabled=${picked.length !== 2} title="Pick two runs in the list" onClick=${() => go(["compare"], { one: picked[0], other: picked[1] })}>Compare ${picked.length} of 2</button><button class="primary" onClick=${() => setStarting(true)}>Start a run…</button></div>
    <div class="chips" role="group" aria-label="Status">${chip("", "All", count(total))}${STATUSES.map((one) => chip(one, told(one), `${count(list.counts[one]?.count || 0)}${list.counts[one]?.more ? "+" : ""}`))}</div>
    <div class="filters">
      <${Select} label="Machine" value=${machine} onPick=${(value) => amend({ machine: value })} options=${[["", "all machines"], ...(machines.data?.machines || []).map((one) => [one.arn, one.name])]} />
      <${Select} label="Started" value=${since} onPick=${(value) => amend({ since: value })} options=${SINCE} />
      <${Input} label="Name contains" type="search" value=${part} onValue=${later("name")} /><${Input} label="Error contains" type="search" value=${error} onValue=${later("error")} /></div>
    ${trouble(list.error)}
    <p class="visually-hidden" role="status">${plural(list.runs.length, "run")} shown${list.next && ", more below"}</p>
    <div class="fill boxed"><${Windowed} label="Runs" count=${list.runs.length} columns=${COLUMNS} row=${row} empty=${empty} onNear=${(_, last) => last && last > list.runs.length - 20 && list.more()} /></div>
    ${starting && html`<${StartDialog} title="Start a run" machine=${machine} choose=${true} onClose=${() => setStarting(false)} />`}</div>`;
}
