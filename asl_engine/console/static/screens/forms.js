// Forms that begin something: a run, a fork of one, a trial of one state.
import { html, useEffect, useRef, useState } from "../lib.js";
import { get, operation, post, useGet, whole } from "../api.js";
import { go, recall, remember } from "../router.js";
import { visible } from "../text.js";
import { JsonField, mistakeIn, OptionalJson } from "../ui/editor.js";
import { Data, indented, Stage } from "../ui/json.js";
import { announce, complain, Dialog, failure, Input, name, Select, told, trouble, useSubmit } from "../ui/parts.js";
import { stageTitle } from "./panel.js";

/** ``machine`` may be a version, an alias or a run; with ``choose`` others are offered. */
export function StartForm({ machine, choose, input, onClose }) {
  const [chosen, setChosen] = useState(machine || recall("machine"));
  const machines = useGet(choose ? "machines" : "", { limit: 500 }), offered = machines.data?.machines || [];
  const known = choose && !offered.some((one) => one.arn === chosen) ? offered[0]?.arn : chosen;
  const inputs = useGet(known ? "inputs" : "", { machine: known });
  const [text, setText] = useState(input == null ? null : indented(input));
  const [source, setSource] = useState(""), [title, setTitle] = useState("");
  const kept = recall(`input.${known}`);
  const choices = [...(kept ? [["kept", "what was entered here last", kept]] : []), ...(inputs.data?.last || []).map((one) => [one.arn, `input of run ${one.name}`, one.text]),
    ...(inputs.data?.samples || []).map((one) => [`s${one.name}`, `sample ${one.name}`, one.text])];
  const take = (key) => {
    setSource(key);
    setText(indented(choices.find(([one]) => one === key)?.[2] ?? "{}"));
  };
  useEffect(() => { if (text === null && inputs.data) take(choices[0]?.[0] || ""); }, [inputs.data]);
  const [error, submit] = useSubmit(async () => {
    const { executionArn } = await post("start", { arn: known, input: text, name: title.trim() });
    remember("machine", known);
    remember(`input.${known}`, text);
    announce("The run has started.");
    onClose?.();
    go(["run", executionArn]);
  });
  return html`<form class="stack" onSubmit=${submit}>
    ${choose && html`<${Select} label="Machine" value=${known} onPick=${(value) => { setChosen(value); setText(null); }} options=${offered.map((one) => [one.arn, one.name])} />`}
    ${machines.data && !known && html`<p class="trouble">There is no state machine yet: create one through the API.</p>`}
    ${inputs.data?.made && html`<p class="quiet">There is no state machine ${name(inputs.data.machine)} yet: it is made from the definition of run ${name(inputs.data.made)}.</p>`}
    ${choices.length > 0 && html`<${Select} label="Begin with" value=${source} onPick=${take} options=${[["", "the text below"], ...choices]} />`}
    <${JsonField} label="Input" value=${text ?? ""} rows=${14} onInput=${(value) => { setText(value); setSource(""); }} />
    <${Input} label="Name (optional)" hint="A random one if left empty." maxlength="80" value=${title} onValue=${setTitle} />
    ${trouble(error || inputs.error || machines.error)}
    <footer>${onClose && html`<button type="button" onClick=${onClose}>Cancel</button>`}<button class="primary" disabled=${!known || mistakeIn(text ?? "")}>Start</button></footer></form>`;
}

export const StartDialog = (props) => html`<${Dialog} ...${props}><${StartForm} ...${props} /><//>`;

/** ``where`` is a visit, or true: then at first where it failed. */
export function ForkDialog({ arn, run, where, onClose }) {
  const states = useGet("run/states", { arn }), list = states.data?.states || [];
  const [state, setState] = useState(where.name || ""), [input, setInput] = useState(null), [definition, setDefinition] = useState(null), [title, setTitle] = useState("");
  const place = where.name === state ? where : {};
  useEffect(() => { if (!state && list.length) setState((list.findLast((one) => one.standing === "failed") || list[0]).name); }, [list.length]);
  const begun = useRef(null), past = async () => (begun.current = indented(await whole((place.input ? place : await get("run/state", { arn, state })).input)));
  const recorded = async () => indented((await operation("DescribeStateMachineForExecution", { executionArn: arn })).definition);
  useEffect(() => {
    const old = begun.current;
    if (input !== null && input === old) past().then((text) => setInput((now) => (now === old ? text : now)), complain);
  }, [state]);
  const [error, submit] = useSubmit(async () => {
    const body = { arn, state, visit: place.visit, iteration: place.iterations?.at(-1), branch: place.branches?.at(-1), input, definition, name: title.trim() };
    const made = await post("fork", Object.fromEntries(Object.entries(body).filter(([, value]) => value != null && value !== "")));
    announce(made.note || "Forked: the new run has begun.");
    onClose();
    go(["run", made.arn]);
  });
  return html`<${Dialog} title=${`Fork ${visible(run.name)}`} wide=${true} onClose=${onClose}><form class="stack" onSubmit=${submit}>
    <p class="quiet">A fork is a new run that shares the past of this one up to a state and goes on from there. What was done before is not done again.</p>
    <${Select} label="From state" hint=${place.visits > 1 && `visit ${place.visit}`} value=${state} onPick=${setState} options=${list.map((one) => [one.name, `${visible(one.name)} (${one.standing})`])} />
    <${OptionalJson} tick="With another input for this state" label="Input of the state" value=${input} onInput=${setInput} begin=${past} />
    <${OptionalJson} tick="With another definition" label="Definition" value=${definition} rows=${14} onInput=${setDefinition} begin=${recorded} />
    <${Input} label="Name (optional)" maxlength="80" value=${title} onValue=${setTitle} />
    ${trouble(error || states.error)}
    <footer><button type="button" onClick=${onClose}>Cancel</button><button class="primary" disabled=${!state || mistakeIn(input) || mistakeIn(definition)}>Fork and run</button></footer></form><//>`;
}

const MOCKED = new Set(["Task", "Map", "Parallel"]);

/** ``run`` and ``entry``: where a past run gave the input to begin with. */
export function Trial({ definition, role, states, state, run, entry, onState }) {
  const known = states.find((one) => one.name === state) || states[0];
  const [input, setInput] = useState("{}"), [mock, setMock] = useState(null), [variables, setVariables] = useState(null), [answer, setAnswer] = useState(null);
  useEffect(() => {
    if (run) get("run/state", { arn: run, entry, state: entry ? "" : state }).then(async (past) => {
      setInput(indented(await whole(past.input)));
      const scope = await whole(past.variables);
      if (scope && scope !== "{}") setVariables(indented(scope));
      const result = past.attempts.at(-1)?.result;
      if (result) setMock(indented(await whole(result)));
    }).catch(complain);
  }, []);
  const mocked = mock !== null && MOCKED.has(known?.type);
  const [error, submit] = useSubmit(async () => {
    setAnswer(null);
    setAnswer(await operation("TestState", { definition, stateName: known.name, input, inspectionLevel: "DEBUG", roleArn: role, ...(mocked && { mock: { result: mock, fieldValidationMode: "NONE" } }), ...(variables !== null && { variables }) }));
  });
  if (!known) return html`<p class="empty">The definition has no state that could be tested yet.</p>`;
  const stages = Object.entries(answer?.inspectionData || {}).filter(([, value]) => typeof value === "string");
  return html`<form class="stack trial" onSubmit=${submit}>
      <${Select} label="State" value=${known.name} onPick=${onState} options=${states.map((one) => [one.name, `${one.name} (${one.type})`])} />
      <${JsonField} label="Input" rows=${8} value=${input} onInput=${setInput} />
      ${MOCKED.has(known.type) && html`<${OptionalJson} tick="Give its result instead of doing its work" label="Result" rows=${6} value=${mock} onInput=${setMock} />`}
      <${OptionalJson} tick="With variables" label="Variables" rows=${4} value=${variables} onInput=${setVariables} />
      ${trouble(error)}<div><button class="primary" disabled=${mistakeIn(input) || mistakeIn(mock) || mistakeIn(variables)}>Test the state</button></div></form>
    ${answer && html`<section class="stack" aria-label="What came of it" aria-live="polite"><p>${told(answer.status)}${answer.nextState && html` · next ${name(answer.nextState)}`}</p>
      ${answer.error && failure("What went wrong", answer)}
      ${stages.map(([stage, text]) => html`<${Stage} key=${stage} title=${stageTitle(stage)} payload=${{ text }} />`)}
      ${answer.output != null && html`<h3>Output</h3><${Data} payload=${{ text: answer.output }} label="Output of the state" />`}</section>`}`;
}
