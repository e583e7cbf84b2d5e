// Two runs side by side: where they differ, state by state.
import { html, use, useState } from "../lib.js";
import { useGet } from "../api.js";
import { useListStream } from "../live.js";
import { route, to } from "../router.js";
import { count, duration } from "../text.js";
import { Check, facts, link, moment, name, pending, scroll, told, took, trouble } from "../ui/parts.js";
import { Windowed } from "../ui/windowed.js";

const COLUMNS = [["State", "w-name"], ["One", "w-time num"], ["Other", "w-time num"], ["What differs", ""]];

const side = (title, run) => html`<div class="card"><h2>${title}: ${link(["run", run.arn], name(run.name))} ${told(run.status)}</h2>
  ${facts(["Machine", name(run.machine.name)], ["Started", moment(run.startedAt)], ["Took", took(run)])}
  ${run.error && html`<p><span class="told failed">${name(run.error)}</span> <span dir="auto" class="quiet">${run.cause}</span></p>`}</div>`;

const spent = (milliseconds, run, state) => (milliseconds === null ? html`<span class="quiet">not entered</span>` : html`<a href=${to(["run", run.arn], { state })}>${duration(milliseconds)}</a>`);

export function Compare() {
  const { one, other } = use(route).query, asked = useGet(one && other ? "compare" : "", { one, other }), { data } = asked;
  const [all, setAll] = useState(false);
  useListStream();
  if (!data) return html`<div class="page"><h1>Compare</h1>${one && other ? pending(asked, "both runs") : html`<p>Pick two runs in the ${link(["runs"], "list of runs")}.</p>`}</div>`;
  const states = data.states.filter((state) => all || state.differs), ends = Object.entries(data.ends).filter(([, changes]) => changes.length);
  const row = (i) => {
    const state = states[i], where = state.place.map((part) => `${part} › `).join("");
    return html`<td title=${where + state.state}><span class="quiet">${where}</span>${name(state.state)}</td><td class="num">${spent(state.one, data.one, state.state)}</td><td class="num">${spent(state.other, data.other, state.state)}</td><td title=${state.changes.join("\n")} dir="auto">${state.changes.join("; ") || (state.differs ? "only one of them came here" : html`<span class="quiet">nothing</span>`)}</td>`;
  };
  return html`<div class="page"><div class="head"><div class="titles"><p class="crumbs">${link(["runs"], "Runs")}</p><h1>Two runs compared</h1></div><a class="button" href=${to(["compare"], { one: other, other: one })}>Swap</a></div>
    ${trouble(asked.error)}
    <div class="split even">${side("One", data.one)}${side("Other", data.other)}</div>
    ${data.same && html`<p role="status"><strong>They did the same</strong>, times apart.</p>`}
    ${ends.length > 0 && scroll("simple", "How they began and ended", html`<table><tbody>${ends.map(([title, changes]) => html`<tr><th scope="row">${title}</th><td class="mono" dir="auto">${changes.map((text) => html`<div>${text}</div>`)}</td></tr>`)}</tbody></table>`)}
    <${Check} checked=${all} onCheck=${setAll}>Show the states that do not differ too <span class="count">${count(data.states.length)}</span><//>
    <div class="fill boxed"><${Windowed} label="States of both" count=${states.length} columns=${COLUMNS} row=${row} rowClass=${(i) => states[i].differs && "differs"} empty="No state differs." /></div>
    ${data.more > 0 && html`<p class="quiet">${count(data.more)} more are left out.</p>`}</div>`;
}
