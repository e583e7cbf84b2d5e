// A table of which only the rows in view are in the document.
import { html, useEffect, useLayoutEffect, useRef, useState } from "../lib.js";
import { arrows } from "./parts.js";

const BEYOND = 8; // rows above and below what is seen

export function useWindow(count, height, follow) {
  const ref = useRef(null);
  const [view, setView] = useState({ top: 0, room: 600 });
  useLayoutEffect(() => {
    const box = ref.current;
    let asked = 0;
    const look = () => { asked = 0; setView((old) => (old.top === box.scrollTop && old.room === box.clientHeight ? old : { top: box.scrollTop, room: box.clientHeight })); };
    const ask = () => { asked ||= requestAnimationFrame(look); };
    look();
    box.addEventListener("scroll", ask, { passive: true });
    const sized = new ResizeObserver(ask);
    sized.observe(box);
    return () => { box.removeEventListener("scroll", ask); sized.disconnect(); cancelAnimationFrame(asked); };
  }, []);
  useEffect(() => { if (follow) ref.current.scrollTop = ref.current.scrollHeight; }, [count, follow]);
  const first = Math.max(0, Math.min(Math.floor(view.top / height), count - 1) - BEYOND);
  const last = Math.min(count, Math.ceil((view.top + view.room) / height) + BEYOND);
  return { ref, first, last, before: first * height, after: Math.max(0, count - last) * height };
}

/** ``row(i)`` gives the cells; ``onNear(first, last)`` may fetch what is missing. */
export function Windowed({ count, height = 30, columns, row, label, rowClass, follow, empty, onNear, version }) {
  const { ref, first, last, before, after } = useWindow(count, height, follow);
  useEffect(() => { onNear?.(first, last); }, [first, last, count, version]);
  const keys = (event) => arrows(event, [...ref.current.querySelectorAll("[data-row]")].map((one) => one.querySelector("a, button")).filter(Boolean));
  const rows = [], gap = (pixels) => pixels > 0 && html`<tr aria-hidden="true" class="gap" style=${{ height: `${pixels}px` }}><td colspan=${columns.length}></td></tr>`;
  for (let i = first; i < last; i++) rows.push(html`<tr key=${i} data-row=${i} aria-rowindex=${i + 2} class=${rowClass?.(i)} style=${{ height: `${height}px` }}>${row(i)}</tr>`);
  return html`<div class="windowed" ref=${ref} tabindex="0" role="region" aria-label=${label} onKeyDown=${keys}>
    <table aria-label=${label} aria-rowcount=${count + 1}><thead><tr>${columns.map(([title, kind]) => html`<th scope="col" class=${kind}>${title}</th>`)}</tr></thead>
      <tbody>${gap(before)}${rows}${gap(after)}</tbody></table>
    ${!count && html`<div class="empty">${empty}</div>`}</div>`;
}
