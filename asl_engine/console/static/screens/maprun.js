// A Map Run: how far it is, and its child runs.
import { html, use } from "../lib.js";
import { useList } from "../api.js";
import { useListStream } from "../live.js";
import { amend, route, to } from "../router.js";
import { count, lastPart, words } from "../text.js";
import { facts, link, moment, name, pending, scroll, Select, told, Took, took, trouble } from "../ui/parts.js";
import { Windowed } from "../ui/windowed.js";

const COUNTS = { total: "Total", pending: "Pending", running: "Running", succeeded: "Succeeded", failed: "Failed", timedOut: "Timed out", aborted: "Aborted", resultsWritten: "Written" };
const COLUMNS = [["Status", "w-status"], ["Name", "w-name"], ["Items", "w-took num optional"], ["Started", "w-time optional"], ["Took", "w-took num"], ["Error", "optional"]];

export function MapRun() {
  const { parts: [, arn], query: { status = "" } } = use(route), query = { arn, status, limit: 100 };
  const asked = useList("maprun", query, "children", (run) => run.arn), { data, all: children } = asked;
  useListStream((message) => {
    if (message.reload || message.runs.some((run) => run.arn === data?.mapRun.executionArn)) asked.reload();
  });
  if (!data) return html`<div class="page"><h1>Map Run</h1>${pending(asked, "the Map Run")}</div>`;
  const { mapRun } = data;
  const row = (i) => {
    const run = children[i];
    return html`<td>${told(run.status)}</td><td>${link(["run", run.arn], name(run.name))}</td><td class="num optional">${run.items}</td><td class="optional">${moment(run.startedAt)}</td>
      <td class="num">${took(run)}</td><td class="optional told failed">${name(run.error)}</td>`;
  };
  const counts = (title, all) => all && html`<tr><th scope="row">${title}</th>${Object.keys(COUNTS).map((key) => html`<td class="num">${count(all[key] ?? 0)}</td>`)}</tr>`;
  return html`<div class="page">
    <div class="titles"><p class="crumbs">Map Run of ${link(["run", mapRun.executionArn], name(lastPart(mapRun.executionArn)))}</p><h1>${name(lastPart(arn))} ${told(mapRun.status)}</h1>
      ${facts(["Started", moment(mapRun.startDate)], ["Took", html`<${Took} from=${mapRun.startDate} to=${mapRun.stopDate} />`], ["At once", mapRun.maxConcurrency || "no limit"])}</div>
    ${trouble(asked.error)}
    ${scroll("simple", "Counts", html`<table><thead><tr><th></th>${Object.values(COUNTS).map((title) => html`<th scope="col" class="num">${title}</th>`)}</tr></thead><tbody>${counts("Items", mapRun.itemCounts)}${counts("Runs", mapRun.executionCounts)}</tbody></table>`)}
    <div class="filters"><${Select} label="Child runs" value=${status} onPick=${(value) => amend({ status: value })} options=${[["", "all"], ...STATUSES.map((one) => [one, words(one)])]} /></div>
    <div class="fill boxed"><${Windowed} label="Child runs" count=${children.length} columns=${COLUMNS} row=${row} empty="No child run has this status." onNear=${(_, last) => last > children.length - 10 && asked.further?.()} /></div></div>`;
}
