// The iterations of a Map state, or the branches of a Parallel one, as a grid of which only the lines in view exist.
import { html, useEffect, useRef, useState } from "../lib.js";
import { useGet } from "../api.js";
import { count, dashed, duration, plural, SIGNS, words } from "../text.js";
import { name, on, pending, press, told } from "../ui/parts.js";
import { useWindow } from "../ui/windowed.js";

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
  const keys = (event) => {
    const step = { ArrowRight: 1, ArrowLeft: -1, ArrowDown: columns, ArrowUp: -columns }[event.key], here = event.target.dataset.n;
    const next = step && here && ref.current.querySelector(`[data-n="${numbers[numbers.indexOf(Number(here)) + step]}"]`);
    if (next) { event.preventDefault(); next.focus(); }
  };
  return html`<div class="iterations" ref=${ref} tabindex="0" role="group" aria-label=${MANY[noun]} onKeyDown=${keys}><div style=${{ height: `${before}px` }}></div>${lines}<div style=${{ height: `${after}px` }}></div></div>`;
}

function Lane({ arn, entry, number, noun, news, onSelect }) {
  const asked = useGet("run/iterations", { arn, entry, from: number, limit: 1 }, news), one = asked.data?.items[0];
  if (!one) return pending(asked, `${noun} ${number}`);
  return html`<div class="card"><div class="row"><strong>${noun} ${number}</strong>${one.status && told(one.status)}<span class="quiet">${duration(one.took)}</span></div>${one.error && html`<p class="told failed">${name(one.error)}</p>`}
    <ul class="plain">${one.entries.map((at) => html`<li key=${at.entry}>${press(name(at.state), () => onSelect(at.state, at.entry))} ${told(at.standing)}</li>`)}</ul></div>`;
}
