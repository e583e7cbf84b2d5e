// A run, live or as of any event.
import { batch, html, signal, use, useEffect, useMemo, useState } from "../lib.js";
import { get, operation, Pages, search, useGet, whole } from "../api.js";
import { listen } from "../live.js";
import { amend, route, to } from "../router.js";
import { count, lastPart } from "../text.js";
import { announce, complain, copy, Dialog, facts, failure, frame, link, Menu, moment, name, press, Tabs, told, took, trouble } from "../ui/parts.js";
import { ForkDialog, StartDialog } from "./forms.js";
import { RunPanel, StatePanel } from "./panel.js";
import { CostView, EventPanel, Events, GraphView, States, Waterfall } from "./views.js";

const NEWS = 400; // milliseconds between two looks at how all states fare, while events come in
const PAGE = 200;

function storeOf(arn) {
  const store = { arn, run: signal(null), last: signal(0), total: signal(0), gone: signal(null), news: signal(0), timeline: signal(null) };
  store.events = new Pages(PAGE, async (from, limit) => {
    const page = await get("run/events", { arn, from: from + 1, limit });
    store.total.value = Math.max(store.total.value, page.total);
    return page.events;
  });
  store.rows = new Pages(PAGE, async (from, limit) => (store.timeline.value = await get("run/timeline", { arn, from, limit })).rows);
  return store;
}

/** Put what the stream brings into the store. */
function follow(store, after, onStatus) {
  let timer = 0;
  const news = () => { timer = 0; store.rows.stale(); store.news.value += 1; };
  const close = listen({ run: store.arn, after }, {
    events: (message) => batch(() => {
      const before = store.run.value.status;
      for (const event of message.events) store.events.rows.set(event.id - 1, event);
      store.events.changed();
      store.last.value = Math.max(store.last.value, message.to);
      store.total.value = Math.max(store.total.value, message.total);
      store.run.value = message.run;
      if (message.status !== before) onStatus();
      timer ||= setTimeout(news, NEWS);
    }),
    gone: (body, stream) => { stream.pause(); store.gone.value = body; },
  });
  return () => { clearTimeout(timer); close(); };
}

export function Run() {
  const arn = use(route).parts[1], asked = useGet("run", { arn }), { data } = asked;
  const store = useMemo(() => storeOf(arn), [arn]);
  useEffect(() => {
    if (data) batch(() => {
      store.run.value = data.run;
      store.last.value = Math.max(store.last.value, data.lastEvent);
      store.total.value = Math.max(store.total.value, data.events);
      store.news.value += 1;
    });
  }, [data]);
  // The stream begins behind the first answer: what comes in between is not missed.
  useEffect(() => (data ? follow(store, data.lastEvent, asked.reload) : undefined), [store, !data]);
  if (!data) return frame(name(lastPart(arn)), asked, "the run");
  return html`<${Page} about=${data} error=${asked.error} reload=${asked.reload} store=${store} />`;
}

function Page({ about, error, reload, store }) {
  const { arn } = store, run = use(store.run) || about.run, last = use(store.last), total = use(store.total), gone = use(store.gone), { can, failed, definedBy: machine } = about;
  const { tab = "graph", state, entry, event, at: wanted } = use(route).query;
  const [open, setOpen] = useState({});
  const close = () => setOpen({});
  const act = (what, body, done) => operation(what, { executionArn: arn, ...body }).then(() => { announce(done); reload(); }, complain);
  const action = (title, refusal, run_, kind, hint) => html`<button class=${kind} aria-disabled=${refusal ? "true" : null} title=${refusal || hint} onClick=${() => (refusal ? complain(refusal) : run_())}>${title}</button>`;
  const again = () => whole(about.input).then((input) => setOpen({ again: true, input }), complain);
  const pytest = () => (can.pin ? complain(can.pin) : get("run/pytest", { arn }).then(({ file, text }) => copy(text, file), complain));
  const select = (chosen, at) => amend({ state: chosen, entry: at, event: "" });
  const at = wanted && Number(wanted) < last ? Number(wanted) : null, isOver = run.status !== "RUNNING";
  const tabs = [["graph", "Graph"], ["timeline", "Timeline"], ["events", "Events", count(total)], ["states", "States"], ["cost", "Cost"]];
  return html`<div class="page">
    <div class="head"><div class="titles">
        <p class="crumbs">${link(["runs"], "Runs")} / <a href=${to(["runs"], { machine: run.machine.arn })}>${name(run.machine.name)}</a> · ${link(["machine", machine], "definition")}</p>
        <h1>${name(run.name)} ${told(run.status)}</h1>
        ${facts(["Started", moment(run.startedAt)], [isOver ? "Took" : "Running for", took(run)], run.redriveCount > 0 && ["Redriven", `${run.redriveCount}×`],
          about.origin && ["Fork of", html`${link(["run", about.origin], name(lastPart(about.origin)))} · <a href=${to(["compare"], { one: about.origin, other: arn })}>compare</a>`],
          about.mapRun && ["Child of", html`${link(["maprun", about.mapRun], "a Map Run")}`], run.state && ["In", press(name(run.state), () => select(run.state))])}</div>
      <div class="row">${action("Run again…", null, again, "primary")}${action("Fork…", can.fork, () => setOpen({ fork: true }))}
        ${isOver && run.status !== "SUCCEEDED" && action("Redrive", can.redrive, () => act("RedriveExecution", {}, "Redriven: it goes on where it failed."), "", failed && `Redrive: go on from ${failed.state}`)}
        ${!isOver && action("Stop", can.stop, () => setOpen({ stop: true }))}
        <${Menu} label="More" items=${[["Compare with another run", () => location.assign(to(["runs"], { machine: run.machine.arn, pick: arn }))], ["Export as one HTML file", `/console/api/run/export?${search({ arn })}`], ["Copy as a pytest file", pytest]]} /></div></div>
    ${gone && trouble({ title: "This run is no more.", message: "The page shows what it knew of it." })}${trouble(error)}
    ${about.error != null && isOver && failure("Why it ended", { ...about, error: about.error || run.status }, failed && html` in ${press(name(failed.state), () => select(failed.state, failed.entry))}`)}
    <div class="split fill">
      <${Tabs} label="Views of the run" tabs=${tabs} at=${tab} onSelect=${(key) => amend({ tab: key === "graph" ? "" : key })}>
        ${tab === "graph" ? html`<${GraphView} store=${store} over=${isOver && run.status} at=${at} selected=${state} onSelect=${select} />`
          : tab === "timeline" ? html`<${Waterfall} store=${store} selected=${Number(entry)} onSelect=${select} />`
          : tab === "events" ? html`<${Events} store=${store} isOver=${isOver} at=${at} selected=${Number(event)} />`
          : tab === "states" ? html`<${States} store=${store} onSelect=${select} />` : html`<${CostView} arn=${arn} />`}<//>
      <aside class="side" aria-label="Details">${event ? html`<${EventPanel} store=${store} id=${Number(event)} onState=${select} />`
        : state || entry ? html`<${StatePanel} key=${`${state} ${entry}`} store=${store} state=${state} entry=${entry} isOver=${isOver} machine=${machine} can=${can} onSelect=${select} onFork=${(fork) => setOpen({ fork })} />`
        : html`<${RunPanel} about=${about} isOver=${isOver} />`}</aside></div>
    ${open.again && html`<${StartDialog} title="Run again" machine=${about.aliasArn || machine} input=${open.input} onClose=${close} />`}
    ${open.fork && html`<${ForkDialog} arn=${arn} run=${run} where=${open.fork} onClose=${close} />`}
    ${open.stop && html`<${Dialog} title="Stop this run?" onClose=${close}><p>It ends as aborted. What its tasks have begun elsewhere is not undone.</p>
      <footer><button onClick=${close}>Let it run</button><button class="danger" onClick=${() => { close(); act("StopExecution", { cause: "stopped in the console" }, "Stopped."); }}>Stop it</button></footer><//>`}</div>`;
}
