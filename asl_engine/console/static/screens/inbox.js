// Tasks that wait for somebody: answered, failed or kept alive from here.
import { html, useEffect, useState } from "../lib.js";
import { operation, post, useList } from "../api.js";
import { useListStream, waiting } from "../live.js";
import { to } from "../router.js";
import { lastPart, plural } from "../text.js";
import { JsonField, mistakeIn } from "../ui/editor.js";
import { Data } from "../ui/json.js";
import { announce, facts, frame, Input, link, moment, name, Took, trouble, useSubmit } from "../ui/parts.js";

const keyOf = (task) => `${task.run.arn} ${task.task}`;

export function Inbox() {
  const asked = useList("inbox", { limit: 50 }, "tasks", keyOf), { data } = asked;
  useListStream((message) => (message.reload || message.runs.length) && asked.reload());
  useEffect(() => { if (data) waiting.value = data.total; }, [data]);
  if (!data) return frame("Inbox", asked, "what waits");
  return html`<div class="page"><h1>Inbox</h1><p class="quiet">Tasks that wait for an answer from outside: callbacks with a task token, and tasks of activities.</p>${trouble(asked.error)}
    <p role="status" class=${data.total ? "" : "empty"}>${data.total ? `${plural(data.total, "task")} ${data.total === 1 ? "waits" : "wait"}.` : "Nothing waits for an answer."}</p>
    <ul class="waiting-list">${asked.all.map((task) => html`<li key=${keyOf(task)}><${Task} task=${task} reload=${asked.reload} /></li>`)}</ul>
    ${asked.further && html`<div><button onClick=${asked.further}>Show more</button></div>`}</div>`;
}

function Task({ task, reload }) {
  const { run, state } = task, what = `${state} of ${run.name}`;
  const [form, setForm] = useState(""), [taken, setTaken] = useState(null);
  const [output, setOutput] = useState("{}"), [error, setError] = useState(""), [cause, setCause] = useState("");
  const [failure, send] = useSubmit(async (name_, body, said) => {
    const taskToken = task.token || taken || (await post("inbox/take", { arn: run.arn, task: task.task })).token;
    setTaken(taskToken);
    await operation(name_, { taskToken, ...body });
    announce(said);
    reload();
  });
  const opens = (key, kind, title) => html`<button class=${kind} aria-expanded=${form === key} onClick=${() => setForm(form === key ? "" : key)}>${title}</button>`;
  return html`<article class="card" aria-label=${what}>
    <div class="head"><div class="titles"><h2><a href=${to(["run", run.arn], { state, entry: task.entry })}>${name(state)}</a></h2>
        <p class="crumbs">${name(run.machine.name)} / ${link(["run", run.arn], name(run.name))} · ${task.activity ? "activity " : ""}${name(task.activity ? lastPart(task.activity) : task.resource)}</p></div>
      <div class="row">${opens("answer", "primary", "Answer…")}${opens("fail", "danger", "Fail…")}<button onClick=${(event) => send(event, "SendTaskHeartbeat", {}, `${what} is kept alive.`)}>Keep alive</button></div></div>
    ${facts(["Waits since", moment(task.scheduledAt)], ["For", html`<${Took} from=${task.scheduledAt} />`], task.heartbeatDue && ["Heartbeat due", moment(task.heartbeatDue)], task.timeoutAt && ["Times out", moment(task.timeoutAt)],
      task.activity && ["Worker", task.worker ? name(task.worker) : "nobody yet"])}
    ${form === "answer" && html`<form class="stack" onSubmit=${(event) => send(event, "SendTaskSuccess", { output }, `${what} is answered.`)}><${JsonField} label="Output of the task" rows=${5} value=${output} onInput=${setOutput} /><div><button class="primary" disabled=${mistakeIn(output)}>Send the answer</button></div></form>`}
    ${form === "fail" && html`<form class="stack" onSubmit=${(event) => send(event, "SendTaskFailure", { ...(error && { error }), ...(cause && { cause }) }, `${what} has failed.`)}>
      <${Input} label="Error" hint="What a Retry or a Catch looks for" maxlength="256" value=${error} onValue=${setError} /><${Input} label="Cause" value=${cause} onValue=${setCause} /><div><button class="danger">Fail the task</button></div></form>`}
    ${trouble(failure)}
    <section><h3>Payload</h3><${Data} payload=${task.payload} label=${`Payload of ${what}`} /></section></article>`;
}
