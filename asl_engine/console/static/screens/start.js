// The form that starts a run: it knows what was entered here last, the definition's samples, and past runs' inputs.
import { html, useEffect, useState } from "../lib.js";
import { operation, useGet } from "../api.js";
import { recall, remember } from "../remembered.js";
import { go } from "../router.js";
import { announce } from "../ui/announce.js";
import { JsonField, mistakeIn } from "../ui/editor.js";
import { indented } from "../ui/json.js";
import { Dialog, Input, Select, trouble } from "../ui/parts.js";

/** ``machine`` may be the ARN of a version or an alias; with ``choose`` others are offered; ``input`` is a text to begin with. */
export function StartForm({ machine, choose, input, onClose }) {
  const [chosen, setChosen] = useState(machine || recall("machine"));
  const machines = useGet(choose ? "machines" : "", { limit: 500 }), offered = machines.data?.machines || [];
  const known = choose && !offered.some((one) => one.arn === chosen) ? offered[0]?.arn : chosen;
  const inputs = useGet(known ? "inputs" : "", { machine: known });
  const [text, setText] = useState(input == null ? null : indented(input));
  const [source, setSource] = useState(""), [title, setTitle] = useState(""), [error, setError] = useState(null);
  const kept = recall(`input.${known}`);
  const choices = [...(kept ? [["kept", "what was entered here last", kept]] : []), ...(inputs.data?.last || []).map((one) => [one.arn, `input of run ${one.name}`, one.text]),
    ...(inputs.data?.samples || []).map((one) => [`s${one.name}`, `sample ${one.name}`, one.text])];
  const take = (key) => {
    setSource(key);
    setText(indented(choices.find(([one]) => one === key)?.[2] ?? "{}"));
  };
  useEffect(() => { if (text === null && inputs.data) take(choices[0]?.[0] || ""); }, [inputs.data]);
  const submit = async (event) => {
    event.preventDefault();
    setError(null);
    try {
      const { executionArn } = await operation("StartExecution", { stateMachineArn: known, input: text, ...(title.trim() && { name: title.trim() }) });
      remember("machine", known);
      remember(`input.${known}`, text);
      announce("The run has started.");
      onClose?.();
      go(["run", executionArn]);
    } catch (failure) { setError(failure); }
  };
  return html`<form class="stack" onSubmit=${submit}>
    ${choose && html`<${Select} label="Machine" value=${known} onPick=${(value) => { setChosen(value); setText(null); }} options=${offered.map((one) => [one.arn, one.name])} />`}
    ${machines.data && !known && html`<p class="trouble">There is no state machine yet: create one through the API.</p>`}
    ${choices.length > 0 && html`<${Select} label="Begin with" value=${source} onPick=${take} options=${[["", "the text below"], ...choices]} />`}
    <${JsonField} label="Input" value=${text ?? ""} rows=${14} onInput=${(value) => { setText(value); setSource(""); }} />
    <${Input} label="Name (optional)" hint="Up to 80 characters; a random one if left empty." maxlength="80" value=${title} onValue=${setTitle} />
    ${trouble(error || inputs.error || machines.error)}
    <footer>${onClose && html`<button type="button" onClick=${onClose}>Cancel</button>`}<button class="primary" disabled=${!known || mistakeIn(text ?? "")}>Start</button></footer></form>`;
}

export const StartDialog = (props) => html`<${Dialog} ...${props}><${StartForm} ...${props} /><//>`;
