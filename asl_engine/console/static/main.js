// The frame: the bar on top, a page, the notices.
import { html, render, signal, use, useEffect, useRef, useState } from "./lib.js";
import { get, login, post } from "./api.js";
import { connection, waiting } from "./live.js";
import { recall, remember, route, to } from "./router.js";
import { lastPart } from "./text.js";
import { Input, Notices, on, trouble, useSubmit } from "./ui/parts.js";
import { Compare } from "./screens/compare.js";
import { Inbox } from "./screens/inbox.js";
import { Machine, Machines } from "./screens/machines.js";
import { Run } from "./screens/run.js";
import { MapRun, Runs } from "./screens/runs.js";

const SCREENS = {
  runs: ["Runs", Runs], run: ["Run", Run], machines: ["Machines", Machines], machine: ["Machine", Machine],
  inbox: ["Inbox", Inbox], compare: ["Compare", Compare], maprun: ["Map Run", MapRun],
};
const NAVIGATION = [["runs", "Runs", ["runs", "run", "compare", "maprun"]], ["machines", "Machines", ["machines", "machine"]], ["inbox", "Inbox", ["inbox"]]];
const THEMES = { "": "System colours", light: "Light", dark: "Dark" };

const theme = signal(recall("theme") || "");

function choose(next) {
  theme.value = next;
  remember("theme", next || null);
  if (next) document.documentElement.dataset.theme = next;
  else delete document.documentElement.dataset.theme;
}

function Top() {
  const here = use(route).parts[0] || "runs", state = use(connection), tasks = use(waiting), colours = use(theme);
  return html`<header class="top">
    <a class="brand" href=${to(["runs"])}>asl-engine</a>
    <nav aria-label="Pages">${NAVIGATION.map(([key, title, pages]) => html`<a href=${to([key])} aria-current=${pages.includes(here) ? "page" : null}>
      ${title}${key === "inbox" && tasks > 0 && html` <span class="count">${tasks}<span class="visually-hidden"> waiting</span></span>`}</a>`)}</nav>
    <span class="grow"></span>
    <span class=${`connection ${state === "down" ? "down" : ""}`} role="status">${state === "down" ? "reconnecting…" : state === "live" ? "live" : "connecting…"}</span>
    <select aria-label="Colours" onChange=${on(choose)}>
      ${Object.entries(THEMES).map(([key, title]) => html`<option value=${key} selected=${key === colours}>${title}</option>`)}
    </select>
  </header>`;
}

function Login() {
  const [token, setToken] = useState("");
  const [error, submit] = useSubmit(async () => { await post("login", { token: token.trim() }); login.value = false; });
  return html`<main id="main" tabindex="-1"><form class="page card login" onSubmit=${submit}>
    <h1>A token, please</h1>
    <p class="quiet">This server can be reached from other machines. <code>asl serve</code> prints its token where it was started.</p>
    ${trouble(error)}
    <${Input} label="Token" type="password" value=${token} onValue=${setToken} />
    <div><button class="primary" disabled=${!token.trim()}>Enter</button></div>
  </form></main>`;
}

function Missing() {
  return html`<div class="page"><h1>There is no such page</h1><p><a href=${to(["runs"])}>See all runs</a></p></div>`;
}

function App() {
  const { parts } = use(route), path = parts.join("/"), isOut = use(login), isDown = use(connection) === "down";
  const [name, Screen] = SCREENS[parts[0] || "runs"] || ["Not found", Missing];
  const main = useRef(null), first = useRef(true);
  useEffect(() => {
    document.title = `${parts[1] ? `${lastPart(parts[1])} – ` : ""}${name} – asl-engine`;
    if (first.current) first.current = false;
    else main.current?.focus({ preventScroll: true });
  }, [path]);
  return html`<a class="skip" href="#main">Skip to the content</a><${Top} />
    ${isOut ? html`<${Login} />` : html`<main id="main" ref=${main} tabindex="-1">
      ${isDown && html`<div class="banner" role="status">The connection to the server is lost. The page keeps what it has and goes on when the server is back.</div>`}
      <${Screen} key=${path} />
    </main>`}
    <${Notices} />`;
}

async function begin() {
  const token = new URLSearchParams(location.hash.slice(1)).get("token");
  if (token) {
    history.replaceState(null, "", location.pathname + location.search); // it belongs in no history
    try { await post("login", { token }); } catch { login.value = true; }
  }
  try {
    const known = await get("session");
    login.value = known.required && !known.authenticated;
    if (!login.value) waiting.value = (await get("inbox", { limit: 1 })).total;
  } catch { /* the pages say so themselves, and try again */ }
}

const root = document.getElementById("app");
root.replaceChildren();
await begin();
render(html`<${App} />`, root);
