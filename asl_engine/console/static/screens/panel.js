// Beside the views: the run's own data, or that of one visit of a state.
import { html, use, useEffect, useRef, useState } from "../lib.js";
import { get, useGet } from "../api.js";
import { to } from "../router.js";
import { count, dashed, duration, lastPart, plural, SIGNS, words } from "../text.js";
import { Data, Json, Stage } from "../ui/json.js";
import { arrows, complain, facts, failure, link, moment, name, on, pending, press, scroll, told } from "../ui/parts.js";
import { useWindow } from "../ui/windowed.js";

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
    <div class="row"><button aria-disabled=${can.fork ? "true" : null} onClick=${() => (can.fork ? complain(can.fork) : onFork(data))}>Fork from here…</button>
      <a class="button" href=${to(["machine", machine], { tab: "test", state: data.name, run: arn, entry: data.entry })}>Test this state…</a></div>
    ${data.failure && failure("What went wrong", data.failure)}
    ${data.lanes?.total > 0 && html`<${Iterations} arn=${arn} entry=${data.entry} noun=${data.lanes.kind} news=${isOver ? 0 : news} onSelect=${onSelect} />`}
    <${Flow} data=${data} />
    ${data.attempts.length > 0 && html`<${Attempts} attempts=${data.attempts} />`}
    <${Variables} ...${data} />
    ${data.definition && html`<details><summary>Definition of the state</summary><${Json} text=${data.definition} label="Definition of the state" /></details>`}`;
}

function Visits({ arn, data: { name: state, visit, visits }, onSelect }) {
  const turn = (number) => number >= 1 && number <= visits && get("run/entries", { arn, state, from: number - 1, limit: 1 }).then(({ entries }) => onSelect(state, entries[0].entry), complain);
  return html`<label class="row">Visit <input class="short" type="number" min="1" max=${visits} value=${visit} onChange=${on((value) => turn(Number(value)))} /> of ${count(visits)}</label>`;
}

function Attempts({ attempts }) {
  return html`<section><h3>Attempts</h3>${scroll("attempts", "Attempts", html`<table>
    <thead><tr><th scope="col">#</th><th scope="col">Began</th><th scope="col" class="num">Waited</th><th scope="col" class="num">Took</th><th scope="col">Ended</th></tr></thead>
    <tbody>${attempts.map((one) => html`<tr key=${one.number}><td>${one.number}</td><td class="nowrap">${moment(one.started ?? one.scheduled)}</td><td class="num nowrap">${one.delay > 0 && duration(one.delay)}</td><td class="num nowrap">${duration(one.took)}</td>
        <td>${one.failed ? told("failed") : one.ended == null ? told("running", "under way") : told("succeeded", "done")}</td></tr>
      <tr class="why"><td></td><td colspan="4">${attempts.length > 1 && one.failed && html`<details><summary>${name(one.error)}</summary>${failure(`Attempt ${one.number}`, one)}</details>`}
        ${one.parameters && html`<${Stage} title="Called with" payload=${one.parameters} />`}${one.result && html`<${Stage} title="Answered" payload=${one.result} />`}</td></tr>`)}</tbody></table>`)}</section>`;
}

function Flow({ data }) {
  const stages = [{ name: "input", payload: data.input }, ...data.stages, ...(data.output ? [{ name: "output", payload: data.output }] : [])];
  return html`<section><h3>Data flow</h3>${stages.map((one) => html`<${Stage} key=${one.name} title=${stageTitle(one.name)} field=${one.field} payload=${one.payload} same=${data.same[one.name]} open=${!one.field} />`)}${!data.output && html`<p class="quiet">${data.ended == null ? "No output yet." : "It gave no output."}</p>`}</section>`;
}

function Variables({ variables, assigned }) {
  const has = (payload) => payload && payload.text !== "{}";
  return (has(variables) || has(assigned)) && html`<section><h3>Variables</h3>${has(variables) && html`<${Stage} title="In scope" payload=${variables} />`}${has(assigned) && html`<${Stage} title="Assigned here" field="Assign" payload=${assigned} open=${true} />`}</section>`;
}

const LETTERS = { S: "SUCCEEDED", F: "FAILED", A: "ABORTED", R: "RUNNING", T: "TIMED_OUT", ".": "not reached" };
const MANY = { iteration: "iterations", branch: "branches", child: "children" };
const LINE = 30, CELL = 52; // pixels

export function Iterations({ arn, entry, noun, news, onSelect }) {
  const asked = useGet("run/iterations", { arn, entry, from: 0, limit: 1 }, news), { data } = asked;
  const [only, setOnly] = useState(""), [picked, setPicked] = useState(null), [columns, setColumns] = useState(6), box = useRef(null);
  useEffect(() => {
    if (!box.current) return undefined;
    const sized = new ResizeObserver(([one]) => setColumns(Math.max(1, Math.floor((one.contentRect.width - 20) / CELL))));
    sized.observe(box.current);
    return () => sized.disconnect();
  }, [!data]);
  if (!data) return pending(asked, MANY[noun]);
  const letters = [...data.statuses], numbers = letters.flatMap((letter, i) => (!only || letter === only ? [i] : []));
  const jump = (event) => {
    event.preventDefault();
    const { value } = event.currentTarget.elements.n;
    if (value !== "" && value < data.total) setPicked(Number(value));
  };
  return html`<section ref=${box}><h3>${plural(data.total, noun, MANY[noun])}</h3>
    <div class="row"><select aria-label=${`Which ${MANY[noun]}`} onChange=${on(setOnly)}><option value="">all</option>
        ${Object.keys(LETTERS).filter((one) => letters.includes(one)).map((one) => html`<option key=${one} value=${one} selected=${one === only}>${words(LETTERS[one])}: ${count(letters.filter((letter) => letter === one).length)}</option>`)}</select>
      <form class="row" onSubmit=${jump}><label for="lane" class="quiet">Go to</label><input id="lane" name="n" type="number" class="short" min="0" max=${data.total - 1} /></form></div>
    <${Grid} letters=${letters} numbers=${numbers} columns=${columns} picked=${picked} onPick=${setPicked} noun=${noun} />
    ${picked !== null && html`<${Lane} key=${picked} arn=${arn} entry=${entry} number=${picked} noun=${noun} news=${news} onSelect=${onSelect} />`}</section>`;
}

function Grid({ letters, numbers, columns, picked, onPick, noun }) {
  const { ref, first, last, before, after } = useWindow(Math.ceil(numbers.length / columns), LINE), lines = [];
  const cell = (n) => html`<button key=${n} data-n=${n} class=${dashed(LETTERS[letters[n]])} aria-pressed=${n === picked} onClick=${() => onPick(n)} aria-label=${`${noun} ${n}, ${words(LETTERS[letters[n]])}`}><span aria-hidden="true">${SIGNS[dashed(LETTERS[letters[n]])]}</span>${n}</button>`;
  for (let line = first; line < last; line++) {
    lines.push(html`<div key=${line} class="line" style=${{ gridTemplateColumns: `repeat(${columns}, 1fr)` }}>${numbers.slice(line * columns, (line + 1) * columns).map(cell)}</div>`);
  }
  const keys = (event) => arrows(event, [...ref.current.querySelectorAll("button")], "ArrowLeft", "ArrowRight");
  return html`<div class="iterations" ref=${ref} tabindex="0" role="group" aria-label=${MANY[noun]} onKeyDown=${keys}><div style=${{ height: `${before}px` }}></div>${lines}<div style=${{ height: `${after}px` }}></div></div>`;
}

function Lane({ arn, entry, number, noun, news, onSelect }) {
  const asked = useGet("run/iterations", { arn, entry, from: number, limit: 1 }, news), one = asked.data?.items[0];
  if (!one) return pending(asked, `${noun} ${number}`);
  return html`<div class="card"><div class="row"><strong>${noun} ${number}</strong>${one.status && told(one.status)}<span class="quiet">${duration(one.took)}</span></div>${one.error && html`<p class="told failed">${name(one.error)}</p>`}
    <ul class="plain">${one.entries.map((at) => html`<li key=${at.entry}>${press(name(at.state), () => onSelect(at.state, at.entry))} ${told(at.standing)}</li>`)}</ul></div>`;
}
