// A Map Run: how far it is, and its child runs.
import { html, useEffect, useState } from "../lib.js";
import { get, useGet, waiting } from "../api.js";
import { useListStream } from "../live.js";
import { amend, route, to } from "../router.js";
import { count, lastPart, STATUSES, words } from "../text.js";
import { complain } from "../ui/announce.js";
import { facts, moment, name, pending, scroll, Select, told, Took, trouble } from "../ui/parts.js";
import { Windowed } from "../ui/windowed.js";

const COUNTS = { total: "Total", pending: "Pending", running: "Running", succeeded: "Succeeded", failed: "Failed", timedOut: "Timed out", aborted: "Aborted", resultsWritten: "Written" };
const COLUMNS = [["Status", "w-status"], ["Name", "w-name"], ["Items", "w-took num optional"], ["Started", "w-time optional"], ["Took", "w-took num"], ["Error", "optional"]];

export function MapRun() {
  const arn = route.value.parts[1], { status = "" } = route.value.query, query = { arn, status, limit: 100 };
  const asked = useGet("maprun", query), { data } = asked;
  const [more, setMore] = useState(null);
  useEffect(() => setMore(null), [status]);
  useListStream((message) => {
    waiting.value = message.inbox;
    if (message.reload || message.runs.some((run) => run.arn === data?.mapRun.executionArn)) asked.reload();
  });
  if (!data) return html`<div class="page"><h1>Map Run</h1>${pending(asked, "the Map Run")}</div>`;
  const { mapRun } = data, known = new Set(data.children.map((run) => run.arn));
  const children = [...data.children, ...(more?.children || []).filter((run) => !known.has(run.arn))], { next } = more || data;
  const further = () => next && get("maprun", { ...query, after: next }).then((page) => setMore({ children: [...(more?.children || []), ...page.children], next: page.next }), complain);
  const row = (i) => {
    const run = children[i];
    return html`<td>${told(run.status)}</td><td><a href=${to(["run", run.arn])}>${name(run.name)}</a></td><td class="num optional">${run.items}</td><td class="optional">${moment(run.startedAt)}</td>
      <td class="num"><${Took} from=${run.startedAt} to=${run.stoppedAt} /></td><td class="optional told failed">${name(run.error)}</td>`;
  };
  const counts = (title, all) => all && html`<tr><th scope="row">${title}</th>${Object.keys(COUNTS).map((key) => html`<td class="num">${count(all[key] ?? 0)}</td>`)}</tr>`;
  return html`<div class="page">
    <div class="titles"><p class="crumbs">Map Run of <a href=${to(["run", mapRun.executionArn])}>${name(lastPart(mapRun.executionArn))}</a></p><h1>${name(lastPart(arn))} ${told(mapRun.status)}</h1>
      ${facts(["Started", moment(mapRun.startDate)], ["Took", html`<${Took} from=${mapRun.startDate} to=${mapRun.stopDate} />`], ["At once", mapRun.maxConcurrency || "no limit"])}</div>
    ${trouble(asked.error)}
    ${scroll("simple", "Counts", html`<table><thead><tr><th></th>${Object.values(COUNTS).map((title) => html`<th scope="col" class="num">${title}</th>`)}</tr></thead><tbody>${counts("Items", mapRun.itemCounts)}${counts("Runs", mapRun.executionCounts)}</tbody></table>`)}
    <div class="filters"><${Select} label="Child runs" value=${status} onPick=${(value) => amend({ status: value })} options=${[["", "all"], ...STATUSES.map((one) => [one, words(one)])]} /></div>
    <div class="fill boxed"><${Windowed} label="Child runs" count=${children.length} columns=${COLUMNS} row=${row} empty="No child run has this status." onNear=${(_, last) => last > children.length - 10 && further()} /></div></div>`;
}
