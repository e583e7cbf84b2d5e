// All state machines, and one of them.
import { html, use, useEffect, useRef, useState } from "../lib.js";
import { operation, post, useGet, useList } from "../api.js";
import { useListStream } from "../live.js";
import { amend, route, to } from "../router.js";
import { count, lastPart, STATUSES } from "../text.js";
import { Editor } from "../ui/editor.js";
import { indented } from "../ui/json.js";
import { announce, complain, facts, frame, link, moment, name, pending, scroll, Tabs, told, trouble } from "../ui/parts.js";
import { Picture } from "../ui/picture.js";
import { Windowed } from "../ui/windowed.js";
import { StartDialog, Trial } from "./forms.js";

const AFTER_TYPING = 300; // milliseconds
const COLUMNS = [["Machine", "w-name"], ["Type", "w-status optional"], ["Updated", "w-time optional"], ...STATUSES.map((one) => [told(one), "num optional"])];

export function Machines() {
  const asked = useList("machines", { limit: 100 }, "machines", (one) => one.arn), machines = asked.all;
  useListStream();
  if (!asked.data) return frame("Machines", asked, "the machines");
  const row = (i) => {
    const one = machines[i];
    return html`<td>${link(["machine", one.arn], name(one.name))}</td><td class="optional quiet">${one.registered ? one.type.toLowerCase() : "not registered"}</td><td class="optional">${moment(one.updatedAt || one.createdAt, false)}</td>
      ${STATUSES.map((status) => html`<td class="num optional">${one.counts[status]?.count ? html`<a href=${to(["runs"], { machine: one.arn, status })}>${count(one.counts[status].count)}${one.counts[status].more && "+"}</a>` : html`<span class="quiet">0</span>`}</td>`)}`;
  };
  return html`<div class="page"><h1>Machines</h1>${trouble(asked.error)}<div class="fill boxed"><${Windowed} label="Machines" count=${machines.length} columns=${COLUMNS} row=${row} onNear=${(_, last) => last > machines.length - 10 && asked.further?.()}
    empty=${html`There is no state machine yet. Create one through the API: <code>aws stepfunctions create-state-machine</code>`} /></div></div>`;
}

/** What the server finds in the text as it is now. */
function useCheck(text, saved) {
  const [found, setFound] = useState(saved);
  useEffect(() => {
    if (text === saved.definition) { setFound(saved); return undefined; }
    let over = false;
    const timer = setTimeout(() => post("validate", { definition: text }).then((answer) => { if (!over) setFound(answer); }, complain), AFTER_TYPING);
    return () => { over = true; clearTimeout(timer); };
  }, [text, saved]);
  return found;
}

export function Machine() {
  const arn = use(route).parts[1], asked = useGet("machine", { arn });
  useListStream();
  return asked.data ? html`<${Page} arn=${arn} about=${asked.data} asked=${asked} />` : frame(name(lastPart(arn)), asked, "the machine");
}

function Page({ arn, about, asked }) {
  const { machine } = about, { tab = "graph", state, run, entry } = use(route).query, isOwn = !about.run && machine.arn === arn;
  const [saved, setSaved] = useState(() => ({ ...about, definition: indented(about.definition) })), [text, setText] = useState(saved.definition), [starting, setStarting] = useState(false);
  const found = useCheck(text, saved), editor = useRef(null), picture = useRef(saved);
  if (found.svg) picture.current = found;
  const { svg, states } = picture.current, changed = text !== saved.definition, broken = found.diagnostics.some((one) => one.severity === "ERROR");
  const select = (chosen) => {
    amend({ state: chosen, run: "", entry: "" });
    const line = states.find((one) => one.name === chosen)?.line;
    if (line && tab === "graph") editor.current?.(line);
  };
  const act = (what, body, done) => operation(what, { stateMachineArn: machine.arn, ...body }).then(() => { announce(done); asked.reload(); return true; }, complain);
  const save = async () => { if (await act("UpdateStateMachine", { definition: text }, "Saved: runs that start now use it.")) setSaved({ ...found, definition: text }); };
  const tabs = [["graph", "Graph"], ["test", "Test a state"], ["coverage", "Coverage"], ["versions", "Versions", about.versions.length]];
  return html`<div class="page">
    <div class="head"><div class="titles"><p class="crumbs">${link(["machines"], "Machines")}${!isOwn && !about.run && html` / ${link(["machine", machine.arn], name(machine.name))}`}</p><h1>${name(isOwn || about.run ? machine.name : arn.slice(machine.arn.length - machine.name.length))}</h1>
        ${facts(["Type", machine.type.toLowerCase()], about.run ? ["Definition of", link(["run", about.run], name(lastPart(about.run)))] : ["Created", moment(machine.createdAt)], about.description && ["Description", about.description], ["Runs", link(["runs"], "see all", { machine: machine.arn })])}</div>
      <div class="row"><button class="primary" onClick=${() => setStarting(true)}>Start a run…</button>
        ${isOwn && html`<button disabled=${!changed || broken} onClick=${save}>Save</button><button disabled=${changed} onClick=${() => act("PublishStateMachineVersion", {}, "Published.")}>Publish a version</button>`}</div></div>
    ${trouble(asked.error)}
    <div class="split even fill">
      <div class="definition"><div class="row"><h2 id="definition">Definition</h2>${changed && html`<span class="quiet">${isOwn ? "not saved" : "a draft: it cannot be saved here"}</span><button class="bare" onClick=${() => setText(saved.definition)}>Undo all</button>`}</div>
        <${Editor} label="Definition" value=${text} rows=${24} marks=${found.diagnostics} onInput=${setText} control=${editor} />
        <p role="status" class="quiet">${found.diagnostics.length ? `${count(found.diagnostics.length)} found` : "Nothing is wrong with it."}</p>
        <ul class="diagnostics">${found.diagnostics.map((one) => html`<li><button class="link" disabled=${!one.line} onClick=${() => editor.current(one.line)}>${one.line ? `line ${one.line}` : one.location}</button><span dir="auto"><strong class=${one.severity.toLowerCase()}>${one.severity.toLowerCase()}</strong> ${one.message}</span></li>`)}</ul></div>
      <${Tabs} label="Views of the machine" tabs=${tabs} at=${tab} onSelect=${(key) => amend({ tab: key === "graph" ? "" : key })}>
        ${tab === "graph" ? html`<${Picture} svg=${svg} selected=${state} onSelect=${select} label="Graph of the definition" />`
          : tab === "test" ? html`<${Trial} key=${`${run} ${entry}`} definition=${text} role=${about.roleArn} states=${states} state=${state} run=${run} entry=${entry} onState=${select} />`
          : tab === "coverage" ? html`<${Coverage} machine=${machine.arn} />` : html`<${Versions} about=${about} />`}<//></div>
    ${starting && html`<${StartDialog} title="Start a run" machine=${arn} onClose=${() => setStarting(false)} />`}</div>`;
}

function Coverage({ machine }) {
  const asked = useGet("coverage", { machine }), { data, error } = asked;
  if (!data) return error?.status === 404 ? html`<p class="empty">No coverage report fits this definition. Tests with <code>--asl-cov</code> write one.</p>` : pending(asked, "the coverage");
  return html`<p><strong>${data.covered} of ${data.total}</strong> covered${data.missing.length > 0 && html`; not: <span class="mono wrap">${data.missing.join(", ")}</span>`}</p><${Picture} svg=${data.svg} label="Coverage" />`;
}

const Versions = ({ about: { versions, aliases } }) => html`${!versions.length ? html`<p class="empty">No version is published yet.</p>`
  : scroll("simple", "Versions", html`<table><thead><tr><th scope="col">Version</th><th scope="col">Published</th><th scope="col">Description</th></tr></thead><tbody>${versions.map((one) => html`<tr><td><a href=${to(["machine", one.arn])}>${one.number}</a></td><td>${moment(one.createdAt)}</td><td>${one.description}</td></tr>`)}</tbody></table>`)}
  ${aliases.length > 0 && scroll("simple", "Aliases", html`<table><thead><tr><th scope="col">Alias</th><th scope="col">Leads to</th></tr></thead><tbody>${aliases.map((one) => html`<tr><td>${link(["machine", one.arn], name(one.name))}</td><td>${one.routing.map((way) => `version ${lastPart(way.arn)}: ${way.weight} %`).join(", ")}</td></tr>`)}</tbody></table>`)}`;
