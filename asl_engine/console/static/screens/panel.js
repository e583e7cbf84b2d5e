// Beside the graph: the run's own data, or one visit of a state with its data flow, attempts, variables and iterations.
import { html, use, useEffect } from "../lib.js";
import { get, useGet } from "../api.js";
import { to } from "../router.js";
import { count, duration, lastPart } from "../text.js";
import { complain } from "../ui/announce.js";
import { Data, Stage } from "../ui/data.js";
import { Json } from "../ui/json.js";
import { facts, link, moment, name, on, pending, pre, press, scroll, told } from "../ui/parts.js";
import { Iterations } from "./iterations.js";

/** afterResultSelector as "After ResultSelector". */
export const stageTitle = (stage) => ({ input: "Input", output: "Output", result: "Result of the task" })[stage] || stage.replace(/^after/, "After ").replace(/^[a-z]/, (one) => one.toUpperCase());

export const RunPanel = ({ about, isOver }) => html`<header><h2>The run's data</h2></header>
  <p class="quiet">Pick a state in the graph, the timeline or the table to see what it got and gave.</p>
  <section><h3>Input</h3><${Data} payload=${about.input} label="Input of the run" /></section>
  <section><h3>Output</h3>${about.output || isOver ? html`<${Data} payload=${about.output} label="Output of the run" />` : html`<p class="quiet">None before it ends.</p>`}</section>
  ${about.aliasArn && html`<p class="quiet">Started through the alias ${name(lastPart(about.aliasArn))}.</p>`}`;

export function StatePanel({ store, state, entry, isOver, machine, can, onSelect, onFork }) {
  const { arn } = store, asked = useGet("run/state", entry ? { arn, entry } : { arn, state }), { data, error } = asked, news = use(store.news);
  useEffect(() => { if (news > 1 && (!data || data.ended == null || !entry)) asked.reload(); }, [news]);
  if (!data) return error?.status === 404 ? html`<header><h2>${name(state)}</h2></header><p class="quiet">The run has not come to this state${isOver ? "" : " yet"}.</p>` : pending(asked, "the state");
  const path = [...data.branches.map((n) => `branch ${n}`), ...data.iterations.map((n) => `iteration ${n}`)].join(", ");
  const called = data.attempts[0]?.called || data.attempts[0]?.resource;
  return html`<header><h2>${name(data.name)}</h2>${told(data.standing)}</header>
    ${data.visits > 1 && html`<${Visits} arn=${arn} data=${data} onSelect=${onSelect} />`}
    ${facts(["Type", data.type], called && ["Calls", name(called)], path && ["In", path], ["Entered", moment(data.entered)], ["Took", `${duration(data.took)}${data.ended == null ? " so far" : ""}`], data.due && ["Waits until", moment(data.due)],
      data.next && ["Next", press(name(data.next), () => onSelect(data.next))], data.caught && ["Caught", html`<span class="told caught">${name(data.caught)}</span>`],
      data.mapRun && ["Children", html`${link(["maprun", data.mapRun], "Map Run")}`])}
    <div class="row"><button aria-disabled=${can.fork ? "true" : null} onClick=${() => (can.fork ? complain(can.fork) : onFork(data))}>Run again from here…</button>
      <a class="button" href=${to(["machine", machine], { tab: "test", state: data.name, run: arn, entry: data.entry })}>Test this state…</a></div>
    ${data.failure && html`<section class="failure" aria-label="What went wrong"><p class="what">${told("failed", name(data.failure.error || "failed"))}</p>${pre("Cause", data.failure.cause)}
      ${data.failure.traceback && html`<details open><summary>Traceback</summary>${pre("Traceback", data.failure.traceback)}</details>`}</section>`}
    ${data.attempts.length > 0 && html`<${Attempts} attempts=${data.attempts} isOnly=${data.attempts.length === 1} />`}
    <${Flow} data=${data} />
    ${data.lanes?.total > 0 && html`<${Iterations} arn=${arn} entry=${data.entry} noun=${data.lanes.kind} news=${isOver ? 0 : news} onSelect=${onSelect} />`}
    <${Variables} ...${data} />
    ${data.definition && html`<details><summary>Definition of the state</summary><${Json} text=${data.definition} label="Definition of the state" /></details>`}`;
}

function Visits({ arn, data: { name: state, visit, visits }, onSelect }) {
  const turn = (number) => number >= 1 && number <= visits && get("run/entries", { arn, state, from: number - 1, limit: 1 }).then(({ entries }) => onSelect(state, entries[0].entry), complain);
  return html`<div class="row"><button aria-label="Previous visit" disabled=${visit <= 1} onClick=${() => turn(visit - 1)}>‹</button>
    <label class="row">Visit <input class="short" type="number" min="1" max=${visits} value=${visit} onChange=${on((value) => turn(Number(value)))} /></label> <span class="quiet">of ${count(visits)}</span>
    <button aria-label="Next visit" disabled=${visit >= visits} onClick=${() => turn(visit + 1)}>›</button></div>`;
}

/** The cause of an only attempt is that of the state, and is told above. */
function Attempts({ attempts, isOnly }) {
  return html`<section><h3>Attempts</h3>${scroll("attempts", "Attempts", html`<table>
    <thead><tr><th scope="col">#</th><th scope="col">Began</th><th scope="col" class="num">Waited</th><th scope="col" class="num">Took</th><th scope="col">Ended</th></tr></thead>
    <tbody>${attempts.map((one) => html`<tr key=${one.number}><td>${one.number}</td><td class="nowrap">${moment(one.started ?? one.scheduled)}</td><td class="num nowrap">${one.delay > 0 && duration(one.delay)}</td><td class="num nowrap">${duration(one.took)}</td>
        <td>${one.failed ? told("failed") : one.ended == null ? told("running", "under way") : told("succeeded", "done")}</td></tr>
      <tr class="why"><td></td><td colspan="4">${!isOnly && one.failed && html`<div><strong class="told failed">${name(one.error)}</strong>${pre("Cause", one.cause)}${one.traceback && html`<details><summary>Traceback</summary>${pre("Traceback", one.traceback)}</details>`}</div>`}
        ${one.parameters && html`<${Stage} title="Called with" payload=${one.parameters} />`}${one.result && html`<${Stage} title="Answered" payload=${one.result} />`}</td></tr>`)}</tbody></table>`)}</section>`;
}

/** Input, what each field of the state made of it, output. */
function Flow({ data }) {
  const ends = { input: data.input, output: data.output };
  const stages = [{ name: "input", payload: data.input }, ...data.stages.filter((one) => !(one.name in ends)), ...(data.output ? [{ name: "output", payload: data.output }] : [])];
  return html`<section><h3>Data flow</h3>${stages.map((one, i) => {
    const same = i > 0 && !one.payload?.cut && stages[i - 1].payload?.text === one.payload?.text, isEnd = one.name in ends;
    return html`<${Stage} key=${one.name} title=${stageTitle(one.name)} field=${!isEnd && one.field} payload=${one.payload} same=${same} open=${isEnd} />`;
  })}${!data.output && html`<p class="quiet">${data.ended == null ? "No output yet." : "It gave no output."}</p>`}</section>`;
}

function Variables({ variables, assigned }) {
  const has = (payload) => payload && payload.text !== "{}";
  return (has(variables) || has(assigned)) && html`<section><h3>Variables</h3>${has(variables) && html`<${Stage} title="In scope" payload=${variables} />`}${has(assigned) && html`<${Stage} title="Assigned here" field="Assign" payload=${assigned} open=${true} />`}</section>`;
}
