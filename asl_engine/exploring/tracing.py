"""The log of a run, read as decisions over terms: which rules were asked, which calls made, how many items mapped.

Each frame of the execution has the term of its data and of its variables, as the engine has their values.  A state
that does what no term can say goes on with the value that it had.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

from asl_engine.core import events as ev
from asl_engine.exploring.flows import evaluated_path, field_of, field_term, template_term
from asl_engine.exploring.reading import Read, places_read
from asl_engine.exploring.rules import DEFAULT, FAILS, ChoiceRules, choice_rules
from asl_engine.exploring.term_scope import TermScope
from asl_engine.exploring.terms import INPUT, ArrayTerm, ConstantTerm, GivenPlace, GivenTerm, ObjectTerm, PutTerm
from asl_engine.expressions.errors import ExpressionSyntaxError
from asl_engine.expressions.jsonpath.path import compile_reference_path
from asl_engine.states.recovery import matches

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from asl_engine.exploring.terms import Docs, Term
    from asl_engine.language.tree import StateSource

__all__ = ["ChoiceVisit", "FailedFields", "MapVisit", "RunLog", "RunTrace", "TracedCall", "is_endless", "traced"]

ITEM_FIELDS = ("ItemSelector", "Parameters")


class RunLog(NamedTuple):
    """The events of one execution; ``map_run`` is the name of the Map Run whose ``number``-th child it is."""

    arn: str
    events: Sequence[ev.Event]
    map_run: str | None = None
    number: int = 0


class ChoiceVisit(NamedTuple):
    """A Choice that was entered; ``outcome`` is the rule that was taken."""

    state: str
    rules: ChoiceRules
    outcome: int


class TracedCall(NamedTuple):
    """The ``number``-th call of a state's task, counted from 0; ``error`` is what it failed with."""

    state: str
    number: int
    error: str | None = None


class MapVisit(NamedTuple):
    """A Map that was entered, behind so many ``choices``."""

    state: str
    items: Term
    length: int
    choices: int


class FailedFields(NamedTuple):
    """A state whose fields could not be evaluated, and what these fields read."""

    state: str
    error: str
    cause: str
    reads: tuple[Read, ...]


@dataclass
class RunTrace:
    """What a run has decided, in order.  ``entered`` are the states, ``edges`` the ways from one to the next."""

    choices: list[ChoiceVisit] = field(default_factory=list)
    calls: list[TracedCall] = field(default_factory=list)
    maps: list[MapVisit] = field(default_factory=list)
    failures: list[FailedFields] = field(default_factory=list)
    entered: list[str] = field(default_factory=list)


@dataclass
class _Frame:
    data: Term
    variables: Mapping[str, Term]
    context: Term
    state: str = ""
    task: int = 0
    result: Term | None = None
    error: str | None = None
    choice: int = 0
    parent: _Frame | None = None
    items: Term | None = None
    last: Term | None = None  # what the last state handed on
    children: dict[int, _Frame] = field(default_factory=dict)


def traced(
    logs: Sequence[RunLog], states: Mapping[str, StateSource], calls: Mapping[str, tuple[str, int]], docs: Docs
) -> RunTrace:
    """``logs`` begins with the execution's own; ``docs`` is all that it was given.

    ``calls`` says of each task's key which call of which state it is.
    """
    trace = RunTrace()
    _Reader(trace, states, calls, logs[1:], docs).read(logs[0], _root(GivenTerm(GivenPlace(INPUT)), {}))
    return trace


def _root(data: Term, variables: Mapping[str, Term], item: Term | None = None) -> _Frame:
    return _Frame(data, variables, _context(item))


def _context(item: Term | None) -> Term:
    members: dict[str, Term] = {
        "Execution": ObjectTerm(
            {
                "Id": ConstantTerm("arn:aws:states:us-east-1:123456789012:execution:m:e"),
                "Name": ConstantTerm("e"),
                "Input": GivenTerm(GivenPlace(INPUT)),
                "StartTime": ConstantTerm("2024-01-01T00:00:00Z"),
                "RoleArn": ConstantTerm("arn:aws:iam::123456789012:role/r"),
                "RedriveCount": ConstantTerm(0),
            }
        ),
        "StateMachine": ObjectTerm(
            {"Id": ConstantTerm("arn:aws:states:us-east-1:1:stateMachine:m"), "Name": ConstantTerm("m")}
        ),
        "State": ObjectTerm(
            {
                "Name": ConstantTerm("s"),
                "EnteredTime": ConstantTerm("2024-01-01T00:00:00Z"),
                "RetryCount": ConstantTerm(0),
            }
        ),
        "Task": ObjectTerm({"Token": ConstantTerm("token")}),
    }
    if item is not None:
        members["Map"] = ObjectTerm({"Item": item})
    return ObjectTerm(members)


class _Reader:
    def __init__(
        self,
        trace: RunTrace,
        states: Mapping[str, StateSource],
        calls: Mapping[str, tuple[str, int]],
        others: Sequence[RunLog],
        docs: Docs,
    ) -> None:
        self.trace, self.states, self.calls, self.others, self.docs = trace, states, calls, others, docs
        self.frames: dict[int, _Frame] = {}
        self.log: RunLog

    def read(self, log: RunLog, root: _Frame) -> _Frame:
        self.log = log
        self.frames = {0: root}
        for event in log.events:
            take = _TAKES.get(type(event))
            if take is not None:
                take(self, event)
        return root

    # -- frames ---------------------------------------------------------------------------------------

    def frame(self, event: ev.Event) -> _Frame:
        return self.frames[event.frame]

    def around(self, frame: _Frame, **states: Term) -> TermScope:
        language = self.states[frame.state].language
        return TermScope(language, frame.data, frame.variables, frame.context, states)

    def source(self, frame: _Frame) -> Mapping[str, Any]:
        found: Mapping[str, Any] = self.states[frame.state].source
        return found

    def branch_started(self, event: ev.BranchStarted) -> None:
        parent = self.frame(event)
        child = _Frame(self._arguments(parent, event.input.value), parent.variables, parent.context, parent=parent)
        self.frames[event.seq] = parent.children[event.number] = child

    def iteration_started(self, event: ev.MapIterationStarted) -> None:
        parent = self.frame(event)
        data, item = self._item(parent, event.number, event.input.value)
        child = _Frame(data, parent.variables, _context(item), parent=parent)
        self.frames[event.seq] = parent.children[event.number] = child

    def _item(self, parent: _Frame, number: int, value: Any) -> tuple[Term, Term]:
        """What an iteration is given, and ``Map.Item`` of its context."""
        items = parent.items or ConstantTerm([])
        item = ObjectTerm({"Index": ConstantTerm(number), "Value": items.at(number)})
        source = self.source(parent)
        selector = next((field for field in ITEM_FIELDS if field in source), None)
        if selector is None or (selector == "Parameters" and "Branches" in source):
            return items.at(number), item
        around = self.around(parent)._replace(context=_context(item))
        if around.language != "JSONata":
            around = around.over(evaluated_path(source.get("InputPath", "$"), around))
        return self.or_value(lambda: field_term(source[selector], around), value), item

    # -- states ---------------------------------------------------------------------------------------

    def entered(self, event: ev.StateEntered) -> None:
        frame = self.frame(event)
        frame.state, frame.result, frame.error, frame.children = event.name, None, None, {}
        frame.items = None
        self.trace.entered.append(event.name)
        if event.type == "Choice":
            frame.choice = len(self.trace.choices)
            rules = choice_rules(self.source(frame), self.around(frame))
            self.trace.choices.append(ChoiceVisit(event.name, rules, FAILS))

    def _arguments(self, frame: _Frame, value: Any) -> Term:
        source, around = self.source(frame), self.around(frame)
        if around.language == "JSONata":
            return self.or_value(lambda: field_of(source, "Arguments", around, frame.data), value)
        return self.or_value(lambda: self.jsonpath_arguments(source, around), value)

    def jsonpath_arguments(self, source: Mapping[str, Any], around: TermScope) -> Term:
        given = evaluated_path(source.get("InputPath", "$"), around)
        return template_term(source["Parameters"], around.over(given)) if "Parameters" in source else given

    def map_started(self, event: ev.MapStateStarted) -> None:
        frame = self.frame(event)
        if "ItemReader" in self.source(frame):
            frame.items = ConstantTerm(event.items.value)
        else:
            frame.items = self.or_value(lambda: self._items(frame), event.items.value)
        self.trace.maps.append(MapVisit(frame.state, frame.items, event.length, len(self.trace.choices)))

    def _items(self, frame: _Frame) -> Term:
        source, around = self.source(frame), self.around(frame)
        if around.language == "JSONata":
            return field_of(source, "Items", around, frame.data)
        given = evaluated_path(source.get("InputPath", "$"), around)
        return evaluated_path(source.get("ItemsPath", "$"), around.over(given))

    def map_run_started(self, event: ev.MapRunStarted) -> None:
        """The children of a Map Run are read where it begins: what they hand on is needed when it has ended."""
        frame = self.frame(event)
        for other in sorted(
            (one for one in self.others if one.map_run and f"/{one.map_run}:" in event.arn),
            key=lambda one: one.number,
        ):
            first = other.events[0]
            value = first.input.value if isinstance(first, ev.ExecutionStarted) else None
            data, item = self._item(frame, other.number, value)
            if "ItemBatcher" in self.source(frame):
                data = ConstantTerm(value)
            reader = _Reader(self.trace, self.states, self.calls, self.others, self.docs)
            frame.children[other.number] = reader.read(other, _root(data, {}, item))

    def task_scheduled(self, event: ev.TaskScheduled) -> None:
        self.frame(event).task = event.seq

    def task_succeeded(self, event: ev.TaskSucceeded) -> None:
        frame = self.frame(event)
        known = self.calls.get(f"{self.log.arn}:{event.task}")
        frame.error = None
        if known is None:
            frame.result = ConstantTerm(event.output.value)
            return
        state, number = known
        given, output = GivenTerm(GivenPlace(f"{state}#{number}")), event.output.value
        frame.result = given
        if isinstance(output, dict) and "Payload" in output and output != given.value(self.docs):
            # A state that is called like the function which it invokes: what is given is what that returns.
            members = {name: ConstantTerm(value) for name, value in output.items()}
            frame.result = ObjectTerm({**members, "Payload": given})
        self.trace.calls.append(TracedCall(state, number))

    def task_failed(self, event: ev.TaskFailed | ev.TaskTimedOut) -> None:
        frame = self.frame(event)
        self._failed_with(frame, event.error, event.cause)
        state, number = self.calls.get(f"{self.log.arn}:{event.task}", (frame.state, 0))
        self.trace.calls.append(TracedCall(state, number, event.error or ""))

    def _failed_with(self, frame: _Frame, error: str | None, cause: str | None) -> None:
        frame.error = error or ""
        frame.result = ObjectTerm({"Error": ConstantTerm(error or ""), "Cause": ConstantTerm(cause or "")})

    def lane_failed(self, event: ev.BranchFailed | ev.MapIterationFailed) -> None:
        frame = self.frame(event)
        if frame.parent is not None:
            self._failed_with(frame.parent, event.error, event.cause)

    def map_run_failed(self, event: ev.MapRunFailed) -> None:
        self._failed_with(self.frame(event), event.error, event.cause)

    def succeeded_at_last(self, event: ev.ParallelStateSucceeded | ev.MapStateSucceeded) -> None:
        frame = self.frame(event)
        frame.error = None
        frame.result = ArrayTerm([child.last or ConstantTerm(None) for _, child in sorted(frame.children.items())])

    def exited(self, event: ev.StateExited) -> None:
        frame = self.frame(event)
        if event.type == "Choice":
            self._decided(frame, event)
        if event.type in WORKING and frame.result is None:  # it was left by a catcher before it could begin
            self._not_evaluated(frame, "", "")
            frame.data = frame.last = ConstantTerm(event.output.value)
            return
        leaving = _Leaving(self, frame, event)
        assigned = leaving.assigned()
        output = self.or_value(leaving.output, event.output.value)
        frame.variables = {**frame.variables, **assigned}
        frame.data = frame.last = output

    def _decided(self, frame: _Frame, event: ev.StateExited) -> None:
        """Which rule was taken: what its values say, or else what its target says."""
        source, visit = self.source(frame), self.trace.choices[frame.choice]
        targets = {index: rule["Next"] for index, rule in enumerate(source["Choices"])}
        targets[DEFAULT] = source.get("Default")
        outcome = visit.rules.outcome(self.docs)
        if targets.get(outcome) != event.next:
            outcome = next((index for index, target in targets.items() if target == event.next), DEFAULT)
        self.trace.choices[frame.choice] = visit._replace(outcome=outcome)

    def evaluation_failed(self, event: ev.EvaluationFailed) -> None:
        frame = self.frame(event)
        self._not_evaluated(frame, event.error or "", event.cause or "")
        self._failed_with(frame, event.error, event.cause)

    def ended(self, event: ev.ExecutionFailed) -> None:
        frame = self.frame(event)
        if frame.state and frame.error is None and event.error in RUN_TIME and not is_endless(event.cause):
            self._not_evaluated(frame, event.error or "", event.cause or "")

    def _not_evaluated(self, frame: _Frame, error: str, cause: str) -> None:
        states = {} if frame.result is None else {"result": frame.result}
        around = self.around(frame, **states)
        if self.states[frame.state].type == "Map":
            items = frame.items or self.or_value(lambda: self._items(frame), [])
            item = ObjectTerm({"Index": ConstantTerm(0), "Value": items.at(0)})
            around = around._replace(context=_context(item))
        reads = tuple(places_read(self.source(frame), around, frame.result))
        self.trace.failures.append(FailedFields(frame.state, error, cause, reads))

    def or_value(self, make: Any, value: Any) -> Term:
        """A term, or where none can be made the value itself."""
        try:
            made: Term = make()
        except (ExpressionSyntaxError, KeyError, IndexError, TypeError, ValueError):
            return ConstantTerm(value)
        return made


ENDLESS = "maximum number of history events"


def is_endless(cause: str | None) -> bool:
    """Whether a run was left because its history had no more room."""
    return ENDLESS in (cause or "")


WORKING = frozenset({"Task", "Parallel", "Map"})
RUN_TIME = frozenset(
    {
        "States.Runtime",
        "States.ParameterPathFailure",
        "States.QueryEvaluationError",
        "States.ResultPathMatchFailure",
        "States.IntrinsicFailure",
        "States.ReferencePathConflict",
    }
)


class _Leaving:
    """How a state hands on its data: through its own fields, or through those of a rule or a catcher."""

    def __init__(self, reader: _Reader, frame: _Frame, event: ev.StateExited) -> None:
        self.reader, self.frame, self.event = reader, frame, event
        self.source = reader.source(frame)
        self.around = reader.around(frame)
        self.catcher = self._catcher()
        self.rule = self._rule()
        self.result = self._result()

    def _catcher(self) -> Mapping[str, Any] | None:
        error = self.frame.error
        if error is None:
            return None
        catchers: Iterable[Mapping[str, Any]] = self.source.get("Catch", ())
        return next((one for one in catchers if matches(tuple(one["ErrorEquals"]), error)), None)

    def _rule(self) -> Mapping[str, Any] | None:
        if self.event.type != "Choice":
            return None
        outcome = self.reader.trace.choices[self.frame.choice].outcome
        found: Mapping[str, Any] | None = self.source["Choices"][outcome] if outcome >= 0 else None
        return found

    def _result(self) -> Term:
        """What ResultSelector or Output begin with."""
        frame, source = self.frame, self.source
        if frame.result is not None:
            return frame.result
        if self.around.language == "JSONata":
            return frame.data
        if self.event.type == "Pass" and source.get("Result") is not None:
            return ConstantTerm(source["Result"])
        arguments = self.reader.jsonpath_arguments
        return arguments(source, self.around) if self.event.type == "Pass" else self._given()

    def _given(self) -> Term:
        return evaluated_path(self.source.get("InputPath", "$"), self.around)

    @property
    def fields(self) -> Mapping[str, Any]:
        """Those of the catcher or the rule that was taken, else of the state."""
        return self.catcher or self.rule or self.source

    def _states(self) -> dict[str, Term]:
        if self.catcher is not None:
            return {"errorOutput": self.result}
        return {} if self.frame.result is None else {"result": self.result}

    def assigned(self) -> dict[str, Term]:
        if self.event.assigned is None:
            return {}
        values: Any = self.event.assigned.value
        fields = self.fields.get("Assign", {})
        around = self.around._replace(states=self._states())
        if around.language != "JSONata":
            around = around.over(self.selected())
        whole = self.reader.or_value(lambda: field_term(fields, around), values)
        return {name: whole.at(name) for name in values}

    def selected(self) -> Term:
        if self.catcher is not None or self.rule is not None or "ResultSelector" not in self.source:
            return self.result
        return template_term(self.source["ResultSelector"], self.around.over(self.result))

    def output(self) -> Term:
        if self.around.language == "JSONata":
            around = self.around._replace(states=self._states())
            return field_of(self.fields, "Output", around, self.result)
        if self.event.type in {"Choice", "Wait", "Succeed"}:
            combined = self._given()
        else:
            combined = self._put(self.selected())
        if self.catcher is not None:
            return combined
        return evaluated_path(self.source.get("OutputPath", "$"), self.around.over(combined))

    def _put(self, result: Term) -> Term:
        path = (self.catcher or self.source).get("ResultPath", "$")
        if path is None:
            return self.frame.data
        steps = compile_reference_path(path).steps
        return PutTerm(self.frame.data, steps, result) if steps else result


_TAKES: dict[type[ev.Event], Any] = {
    ev.StateEntered: _Reader.entered,
    ev.StateExited: _Reader.exited,
    ev.BranchStarted: _Reader.branch_started,
    ev.MapIterationStarted: _Reader.iteration_started,
    ev.MapStateStarted: _Reader.map_started,
    ev.MapRunStarted: _Reader.map_run_started,
    ev.TaskScheduled: _Reader.task_scheduled,
    ev.TaskSucceeded: _Reader.task_succeeded,
    ev.TaskFailed: _Reader.task_failed,
    ev.TaskTimedOut: _Reader.task_failed,
    ev.BranchFailed: _Reader.lane_failed,
    ev.MapIterationFailed: _Reader.lane_failed,
    ev.MapRunFailed: _Reader.map_run_failed,
    ev.ParallelStateSucceeded: _Reader.succeeded_at_last,
    ev.MapStateSucceeded: _Reader.succeeded_at_last,
    ev.EvaluationFailed: _Reader.evaluation_failed,
    ev.ExecutionFailed: _Reader.ended,
}
