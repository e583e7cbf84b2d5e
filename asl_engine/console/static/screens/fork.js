// A fork: the run again from one of its states, with another input or another definition.
import { html, useEffect, useState } from "../lib.js";
import { get, operation, post, useGet, whole } from "../api.js";
import { go } from "../router.js";
import { visible } from "../text.js";
import { announce } from "../ui/announce.js";
import { JsonField, mistakeIn } from "../ui/editor.js";
import { indented } from "../ui/json.js";
import { Check, Dialog, Input, Select, trouble } from "../ui/parts.js";

/** ``where`` is a visit of a state as the panel shows it; true: the state is chosen here, at first where it failed. */
export function ForkDialog({ arn, run, where, onClose }) {
  const states = useGet("run/states", { arn }), list = states.data?.states || [];
  const [state, setState] = useState(where.name || ""), [input, setInput] = useState(null), [definition, setDefinition] = useState(null), [title, setTitle] = useState(""), [error, setError] = useState(null);
  const place = where.name === state ? where : {};
  useEffect(() => { if (!state && list.length) setState((list.findLast((one) => one.standing === "failed") || list[0]).name); }, [list.length]);
  const load = (what) => { setError(null); what().catch(setError); };
  const editInput = (wanted) => load(async () => setInput(wanted ? indented(await whole((place.input ? place : await get("run/state", { arn, state })).input)) : null));
  const editDefinition = (wanted) => load(async () => setDefinition(wanted ? indented((await operation("DescribeStateMachineForExecution", { executionArn: arn })).definition) : null));
  useEffect(() => { if (input !== null) editInput(true); }, [state]);
  const submit = async (event) => {
    event.preventDefault();
    const body = { arn, state, visit: place.visit, iteration: place.iterations?.at(-1), branch: place.branches?.at(-1), input: input ?? "", definition: definition ?? "", name: title.trim() };
    try {
      const made = await post("fork", Object.fromEntries(Object.entries(body).filter(([, value]) => value != null && value !== "")));
      announce(made.note || "Forked: the new run has begun.");
      onClose();
      go(["run", made.arn]);
    } catch (failure) { setError(failure); }
  };
  return html`<${Dialog} title=${`Fork ${visible(run.name)}`} wide=${true} onClose=${onClose}><form class="stack" onSubmit=${submit}>
    <p class="quiet">A fork is a new run that shares the past of this one up to a state and goes on from there. What was done before is not done again.</p>
    <${Select} label="From state" hint=${place.visits > 1 && `visit ${place.visit}`} value=${state} onPick=${setState} options=${list.map((one) => [one.name, `${visible(one.name)} (${one.standing})`])} />
    <${Check} checked=${input !== null} onCheck=${editInput}>With another input for this state<//>
    ${input !== null && html`<${JsonField} label="Input of the state" value=${input} onInput=${setInput} />`}
    <${Check} checked=${definition !== null} onCheck=${editDefinition}>With another definition<//>
    ${definition !== null && html`<${JsonField} label="Definition" value=${definition} rows=${14} onInput=${setDefinition} />`}
    <${Input} label="Name (optional)" maxlength="80" value=${title} onValue=${setTitle} />
    ${trouble(error || states.error)}
    <footer><button type="button" onClick=${onClose}>Cancel</button><button class="primary" disabled=${!state || (input !== null && mistakeIn(input)) || (definition !== null && mistakeIn(definition))}>Fork and run</button></footer></form><//>`;
}
