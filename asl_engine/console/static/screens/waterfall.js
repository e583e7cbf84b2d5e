// The waterfall: a row for each state, with what it did over the time it took.  It is a table, and read as one.
import { html, use } from "../lib.js";
import { duration, visible } from "../text.js";
import { told, trouble } from "../ui/parts.js";
import { Windowed } from "../ui/windowed.js";

const MEANINGS = [["work", "work"], ["failed", "failed"], ["backoff", "back-off before a retry"], ["waiting", "waiting"]];
const MAX_DEPTH = 5, THIN = 0.3; // per cent of the width, at least

/** Where a moment is, from 0 to 100; the pauses before a redrive or a fork are cut out. */
function scale({ began, until, pauses }) {
  const since = (end) => Math.max(0, end - began - pauses.reduce((sum, pause) => sum + Math.max(0, Math.min(pause.end, end) - Math.max(pause.begin, began)), 0));
  const length = Math.max(1, since(until));
  return { length, at: (moment) => Math.min(100, (since(moment ?? until) / length) * 100) };
}

function draw({ kind, begin, end }, at) {
  const x = Math.min(at(begin), 100 - THIN), thin = kind === "inner";
  return html`<rect class=${`bar ${kind}`} x=${`${x}%`} width=${`${Math.max(THIN, at(end) - x)}%`} y=${thin ? 5 : 1} height=${thin ? 3 : 12} />`;
}

export function Waterfall({ store, selected, onSelect }) {
  const { rows } = store, page = use(store.timeline), error = use(rows.error), version = use(rows.version), about = page && scale(page);
  const row = (i) => {
    const one = rows.rows.get(i);
    if (!one) return html`<td colspan="3" class="quiet">…</td>`;
    const title = html`<bdi>${visible(one.title)}</bdi>`;
    return html`<td><span class=${`depth-${Math.min(one.depth, MAX_DEPTH)}`}>${one.standing && told(one.standing, html`<span class="visually-hidden">${one.standing}</span>`)}
        ${one.state ? html`<button class="link" onClick=${() => onSelect(one.state, one.entry)}>${title}</button>` : html`<span class="quiet">${title}</span>`}
        ${one.attempts > 1 && html` <span class="quiet">${one.attempts} attempts</span>`}${one.note && html` <span class=${`told ${one.standing}`} dir="auto">${one.note}</span>`}</span></td>
      <td><svg aria-hidden="true">${one.bars.map((bar) => draw(bar, about.at))}</svg></td><td class="num">${duration(one.took)}</td>`;
  };
  const axis = about && html`<span class="axis">${[0, 0.5, 1].map((part) => html`<span>${duration(about.length * part)}</span>`)}</span>`;
  return html`<p class="legend">${MEANINGS.map(([kind, meaning]) => html`<span><svg aria-hidden="true" viewBox="0 0 22 11"><rect class=${`bar ${kind}`} width="22" height="11" /></svg>${meaning}</span>`)}</p>
    ${trouble(error)}
    <div class="timeline boxed"><${Windowed} label="Timeline" count=${page ? page.total : 1} height=${28} columns=${[["State", "w-state"], [axis, ""], ["Took", "w-took num"]]} row=${row} version=${version}
      rowClass=${(i) => rows.rows.get(i)?.entry === selected && "selected"} onNear=${(first, last) => rows.want(first, last)} empty="No state was entered yet." /></div>`;
}
