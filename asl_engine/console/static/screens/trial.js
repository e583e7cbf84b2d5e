// One state tried by itself: nothing is started, and a task is called only where no result is given for it.
import { html, useEffect, useState } from "../lib.js";
import { get, operation, whole } from "../api.js";
import { complain } from "../ui/announce.js";
import { Data, Stage } from "../ui/data.js";
import { JsonField, mistakeIn } from "../ui/editor.js";
import { indented } from "../ui/json.js";
import { Check, name, pre, Select, told, trouble } from "../ui/parts.js";
import { stageTitle } from "./panel.js";

const MOCKED = new Set(["Task", "Map", "Parallel"]);

/** ``run`` and ``entry``: where a past run gave the input to begin with. */
export function Trial({ definition, role, states, state, run, entry, onState }) {
  const known = states.find((one) => one.name === state) || states[0];
  const [input, setInput] = useState("{}"), [mock, setMock] = useState(null), [variables, setVariables] = useState(null), [answer, setAnswer] = useState(null), [error, setError] = useState(null);
  useEffect(() => {
    if (run) get("run/state", { arn: run, entry }).then(async (past) => {
      setInput(indented(await whole(past.input)));
      const scope = await whole(past.variables);
      if (scope && scope !== "{}") setVariables(indented(scope));
      const result = past.attempts.at(-1)?.result;
      if (result) setMock(indented(await whole(result)));
    }).catch(complain);
  }, []);
  const mocked = mock !== null && MOCKED.has(known?.type);
  const submit = async (event) => {
    event.preventDefault();
    setError(null);
    try {
      setAnswer(await operation("TestState", { definition, stateName: known.name, input, inspectionLevel: "DEBUG", roleArn: role, ...(mocked && { mock: { result: mock, fieldValidationMode: "NONE" } }), ...(variables !== null && { variables }) }));
    } catch (failure) { setError(failure); setAnswer(null); }
  };
  if (!known) return html`<p class="empty">The definition has no state that could be tested yet.</p>`;
  const stages = Object.entries(answer?.inspectionData || {}).filter(([, value]) => typeof value === "string");
  return html`<form class="stack trial" onSubmit=${submit}>
      <${Select} label="State" value=${known.name} onPick=${onState} options=${states.map((one) => [one.name, `${one.name} (${one.type})`])} />
      <${JsonField} label="Input" rows=${8} value=${input} onInput=${setInput} />
      ${MOCKED.has(known.type) && html`<${Check} checked=${mock !== null} onCheck=${(wanted) => setMock(wanted ? "{}" : null)}>Give its result instead of doing its work<//>`}
      ${mocked && html`<${JsonField} label="Result" rows=${6} value=${mock} onInput=${setMock} />`}
      <${Check} checked=${variables !== null} onCheck=${(wanted) => setVariables(wanted ? "{}" : null)}>With variables<//>
      ${variables !== null && html`<${JsonField} label="Variables" rows=${4} value=${variables} onInput=${setVariables} />`}
      ${trouble(error)}<div><button class="primary" disabled=${mistakeIn(input) || (mocked && mistakeIn(mock)) || (variables !== null && mistakeIn(variables))}>Test the state</button></div></form>
    ${answer && html`<section class="stack" aria-label="What came of it" aria-live="polite"><p>${told(answer.status === "CAUGHT_ERROR" ? "caught" : answer.status === "SUCCEEDED" ? "succeeded" : "failed", answer.status.toLowerCase().replace("_", " "))}${answer.nextState && html` · next ${name(answer.nextState)}`}</p>
      ${answer.error && html`<div class="failure"><p class="what">${name(answer.error)}</p>${pre("Cause", answer.cause)}</div>`}
      ${stages.map(([stage, text]) => html`<${Stage} key=${stage} title=${stageTitle(stage)} payload=${{ text }} />`)}
      ${answer.output != null && html`<h3>Output</h3><${Data} payload=${{ text: answer.output }} label="Output of the state" />`}</section>`}`;
}
