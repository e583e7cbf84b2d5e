"""Python callables as tasks: calling, results, failures."""

from __future__ import annotations

import asyncio
import contextvars
import functools
import json
import subprocess
import sys
import threading
import time
import uuid
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

import asl_engine
from asl_engine import TaskContext, task
from asl_engine.errors import ProjectError, StatesError
from asl_engine.payload import Payload
from asl_engine.resources import TaskCall
from asl_engine.resources.python import context as context_module
from asl_engine.resources.python.tasks import python_resource, request_id
from asl_engine.resources.steady import time_left

if TYPE_CHECKING:
    from collections.abc import Callable

KEY = "run-1:7"


def a_call(text: str = '{"n":1}', **fields: Any) -> TaskCall:
    facts: dict[str, Any] = {
        "resource": "arn:aws:lambda:r:a:function:f",
        "input": Payload.of_text(text),
        "key": KEY,
        "attempt": 2,
        "deadline": None,
        "execution": "arn:aws:states:r:a:execution:m:run-1",
        "state": "Pay",
        "heartbeat": lambda: None,
    }
    return TaskCall(**{**facts, **fields})


def answer(function: Callable[..., Any], call: TaskCall | None = None, name: str = "f") -> str:
    resource = python_resource(function, name)

    async def main() -> Payload:
        return await resource(call or a_call())

    return asyncio.run(main()).text


def failure(function: Callable[..., Any]) -> StatesError:
    with pytest.raises(StatesError) as caught:
        answer(function)
    return caught.value


def raising(error: BaseException) -> list[Callable[[Any], Any]]:
    """A plain and an async callable that raise ``error``."""

    def plain(_event: Any) -> None:
        raise error

    async def coroutine(_event: Any) -> None:
        await asyncio.sleep(0)
        raise error

    return [plain, coroutine]


# -- how a callable is called ----------------------------------------------------------------------------


class Service:
    def method(self, event: Any) -> Any:
        return ["method", event]

    def __call__(self, event: Any, context: TaskContext) -> Any:
        return ["object", event, context.attempt]


class AsyncService:
    async def __call__(self, event: Any) -> Any:
        return ["async object", event, threading.current_thread() is threading.main_thread()]


def event_only(event: Any) -> Any:
    return [event]


def both(event: Any, context: TaskContext) -> Any:
    return [event, context.attempt]


def optional_context(event: Any, context: TaskContext | None = None) -> Any:
    return [event, context is not None]


def optional_ctx(event: Any, _ctx: TaskContext | None = None) -> Any:
    return [event, _ctx is not None]


def setting(event: Any, retries: int = 3, *, scale: int = 2) -> Any:
    return [event, retries, scale]


def variadic(*args: Any) -> Any:
    return len(args)


def event_by_default(event: Any = None) -> Any:
    return [event]


async def asynchronous(event: Any, context: TaskContext) -> Any:
    await asyncio.sleep(0)
    return [event, context.attempt, threading.current_thread() is threading.main_thread()]


def in_thread(_event: Any) -> Any:
    return threading.current_thread() is threading.main_thread()


@functools.wraps(asynchronous)
def wrapped(event: Any, context: TaskContext) -> Any:
    return asynchronous(event, context)


CALLS: dict[str, tuple[Callable[..., Any], str]] = {
    "event only": (event_only, '[{"n":1}]'),
    "event and context": (both, '[{"n":1},2]'),
    "a context with a default": (optional_context, '[{"n":1},true]'),
    "a ctx with a default": (optional_ctx, '[{"n":1},true]'),
    "another parameter with a default is left alone": (setting, '[{"n":1},3,2]'),
    "*args": (variadic, "2"),
    "an event with a default": (event_by_default, '[{"n":1}]'),
    "a bound method": (Service().method, '["method",{"n":1}]'),
    "a callable object": (Service(), '["object",{"n":1},2]'),
    "an async callable object": (AsyncService(), '["async object",{"n":1},true]'),
    "a partial": (functools.partial(setting, retries=5), '[{"n":1},5,2]'),
    "a partial of an async callable": (functools.partial(asynchronous), '[{"n":1},2,true]'),
    "an async callable runs on the loop": (asynchronous, '[{"n":1},2,true]'),
    "an async callable behind a plain wrapper": (wrapped, '[{"n":1},2,true]'),
    "a plain callable runs in a thread": (in_thread, "false"),
}


@pytest.mark.parametrize(("function", "expected"), CALLS.values(), ids=CALLS)
def test_calls(function: Callable[..., Any], expected: str) -> None:
    assert answer(function) == expected


@pytest.mark.parametrize(
    ("function", "reason"),
    [
        (lambda: None, "takes ()"),
        (lambda a, b, c: None, "takes (a, b, c)"),  # noqa: ARG005  the parameters are under test
        (lambda event, *, region: None, "takes (event, *, region)"),  # noqa: ARG005  the parameters are under test
        (lambda *, event: None, "takes (*, event)"),  # noqa: ARG005  the parameters are under test
        (dict, "cannot be called"),
    ],
)
def test_a_callable_that_takes_no_event_is_refused(function: Callable[..., Any], reason: str) -> None:
    with pytest.raises(ProjectError) as caught:
        python_resource(function, "pay")
    assert "the task 'pay'" in str(caught.value)
    assert reason in str(caught.value)
    if function is not dict:
        assert f"{__file__}:" in str(caught.value)


def test_an_event_may_be_changed_freely() -> None:
    def change(event: Any) -> Any:
        event["n"] += 1
        return event

    call = a_call()
    assert [answer(change, call), answer(change, call)] == ['{"n":2}', '{"n":2}']


def test_context_variables_reach_a_thread() -> None:
    variable: contextvars.ContextVar[str] = contextvars.ContextVar("variable")
    variable.set("seen")
    assert answer(lambda _: variable.get()) == '"seen"'


def test_the_signature_is_inspected_once(monkeypatch: pytest.MonkeyPatch) -> None:
    resource = python_resource(both, "both")
    monkeypatch.setattr("inspect.signature", None)

    async def main() -> Payload:
        return await resource(a_call())

    assert asyncio.run(main()).text == '[{"n":1},2]'


def test_cancelled_while_the_callable_runs() -> None:
    async def endless(_event: Any) -> None:
        await asyncio.Event().wait()

    async def main() -> None:
        running = asyncio.ensure_future(python_resource(endless, "endless")(a_call()))
        await asyncio.sleep(0)
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running

    asyncio.run(main())


class Base(BaseException):
    """Neither an exception that programs handle nor one of Python's own."""


@pytest.mark.parametrize("kind", [0, 1], ids=["plain", "async"])
@pytest.mark.parametrize(
    ("error", "name"),
    [
        (Base("b"), "Base"),
        (GeneratorExit("g"), "GeneratorExit"),
        (KeyboardInterrupt(), "Runtime.ExitError"),
        (SystemExit(3), "Runtime.ExitError"),
        (asyncio.CancelledError("c"), "CancelledError"),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, BaseException) else "",
)
def test_whatever_a_callable_raises_is_a_failure_of_the_task(error: BaseException, name: str, kind: int) -> None:
    assert failure(raising(error)[kind]).error == name


def test_a_coroutine_that_is_dropped_has_not_failed() -> None:
    async def wait(_event: Any) -> None:
        await asyncio.sleep(3600)

    async def begin() -> Any:
        coroutine: Any = python_resource(wait, "f")(a_call())
        coroutine.send(None)
        return coroutine

    coroutine = asyncio.run(begin())
    coroutine.close()  # raises whatever but GeneratorExit comes out
    assert coroutine.cr_frame is None


# -- the context -----------------------------------------------------------------------------------------


def test_the_context_says_what_a_lambda_context_says(monkeypatch: pytest.MonkeyPatch) -> None:
    beats: list[int] = []
    seen: list[TaskContext] = []

    def keep(_event: Any, context: TaskContext) -> None:
        context.heartbeat()
        seen.append(context)

    answer(keep, a_call(deadline=61_500, heartbeat=lambda: beats.append(1)), "pay")
    context = seen[0]
    assert (context.idempotency_key, context.attempt, context.function_name) == (KEY, 2, "pay")
    assert (context.execution_arn, context.state_name) == ("arn:aws:states:r:a:execution:m:run-1", "Pay")
    assert context.request_id == context.aws_request_id == request_id(KEY)
    assert beats == [1]
    monkeypatch.setattr(context_module, "time", lambda: 60.0)
    alone = context._replace(time_left=None)
    assert alone.get_remaining_time_in_millis() == 1500
    monkeypatch.setattr(context_module, "time", lambda: 99.0)
    assert alone.get_remaining_time_in_millis() == 0
    assert TaskContext().get_remaining_time_in_millis() == 900_000
    TaskContext().heartbeat()
    with pytest.raises(AttributeError):
        context.attempt = 3  # type: ignore[misc]  # what is refused is under test


@pytest.mark.parametrize("key", ["", "a:1", "ä" * 300, *map(str, range(20))])
def test_the_request_id_is_the_uuid_of_the_key(key: str) -> None:
    assert request_id(key) == str(uuid.uuid5(uuid.UUID(int=0), key))


# -- results ---------------------------------------------------------------------------------------------

RESULTS: dict[str, tuple[Any, str]] = {
    "null": (None, "null"),
    "false": (False, "false"),
    "zero": (0, "0"),
    "empty text": ("", '""'),
    "a tuple": ((1, ("a",)), '[1,["a"]]'),
    "keys that are numbers": ({1: "a", 2.5: "b"}, '{"1":"a","2.5":"b"}'),
    "keys that are not text": ({2: "a", None: "b"}, '{"2":"a","null":"b"}'),
    "characters beyond ASCII": ({"grüße": "🎈"}, '{"grüße":"🎈"}'),
}


@pytest.mark.parametrize(("value", "text"), RESULTS.values(), ids=RESULTS)
def test_results_become_json(value: Any, text: str) -> None:
    assert answer(lambda _: value) == text


class Unreadable(dict[str, Any]):
    def items(self) -> Any:
        raise LookupError("not now")

    def __bool__(self) -> bool:
        return True


class Unshowable:
    def __repr__(self) -> str:
        raise LookupError


class SpeechlessError(Exception):
    def __str__(self) -> str:
        raise LookupError


circular: list[Any] = []
circular.append(circular)
deep: list[Any] = []
for _ in range(100_000):
    deep = [deep]
UNMARSHALLABLE: dict[str, tuple[Any, str, str]] = {
    "an object": (
        [{"a": object}],
        "Object of type type is not JSON serializable",
        "$[0].a is a type: <class 'object'>",
    ),
    "a set": ({1}, "Object of type set is not JSON serializable", "$ is a set: {1}"),
    "a decimal": (
        {"items": [{"when": 1}, {"when": Decimal("1.5")}]},
        "Object of type Decimal is not JSON serializable",
        "$.items[1].when is a Decimal: Decimal('1.5')",
    ),
    "bytes": (b"x" * 90, "Object of type bytes is not JSON serializable", f"$ is a bytes: b'{'x' * 78}..."),
    "NaN": ([float("nan")], "Out of range float values are not JSON compliant", "$[0] is nan"),
    "infinity": (
        {"a b": (1, float("inf"))},
        "Out of range float values are not JSON compliant",
        "$['a b'][1] is inf",
    ),
    "circular": (circular, "Circular reference detected", "$[0] contains itself"),
    "deep": (deep, "maximum recursion depth exceeded", f"${'[0]' * 26}[... is nested too deeply"),
    "a key that is a tuple": (
        {"a": {(1, 2): 3}},
        "keys must be str, int, float, bool or None, not tuple",
        "$.a has a key that is a tuple: (1, 2)",
    ),
    "half of a surrogate pair": (
        {"a": ["ü", "\ud800"]},
        "surrogates not allowed",
        "$.a[1] has half of a surrogate pair: '\\ud800'",
    ),
    "a class that will not be read": (Unreadable(a=1), "not now", "$ cannot be read: LookupError: not now"),
    "a class that cannot be shown": (
        [Unshowable()],
        "Object of type Unshowable is not JSON serializable",
        "$[0] is an Unshowable: <repr() raised LookupError>",
    ),
}


@pytest.mark.parametrize(("value", "reason", "place"), UNMARSHALLABLE.values(), ids=UNMARSHALLABLE)
@pytest.mark.parametrize("kind", ["plain", "async"])
def test_a_result_that_is_not_json_fails_the_task(value: Any, reason: str, place: str, kind: str) -> None:
    async def coroutine(_event: Any) -> Any:
        return value

    def plain(_event: Any) -> Any:
        return value

    function = coroutine if kind == "async" else plain
    error = failure(function)
    assert error.error == "Runtime.MarshalError"
    cause = json.loads(error.cause or "")
    assert list(cause) == ["errorMessage", "errorType", "requestId", "stackTrace"]
    assert cause["errorMessage"].startswith("Unable to marshal response: ")
    assert reason in (error.cause or "")
    line = function.__code__.co_firstlineno
    assert cause["stackTrace"] == [
        f"  {place}\n",
        f"  returned by the task f ({__file__}:{line}) of the state Pay\n",
    ]


# -- failures --------------------------------------------------------------------------------------------


class PaymentDeclined(Exception):
    pass


@pytest.mark.parametrize("kind", [0, 1], ids=["plain", "async"])
@pytest.mark.parametrize(
    ("error", "name", "message"),
    [
        (PaymentDeclined("card 4242"), "PaymentDeclined", "card 4242"),
        (ValueError(), "ValueError", ""),
        (KeyError("id"), "KeyError", "'id'"),
        (ExceptionGroup("two", [ValueError("a"), KeyError("b")]), "ExceptionGroup", "two (2 sub-exceptions)"),
        (asyncio.CancelledError("by itself"), "CancelledError", "by itself"),
        (OSError("grüße 🎈"), "OSError", "grüße 🎈"),
        (OSError("odd \udcff"), "OSError", "odd \udcff"),
        (SpeechlessError(), "SpeechlessError", "<str() of the SpeechlessError raised LookupError>"),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, BaseException) else "",
)
def test_an_exception_is_reported_as_lambda_reports_it(
    error: BaseException, name: str, message: str, kind: int
) -> None:
    reported = failure(raising(error)[kind])
    assert reported.error == name
    assert reported.__cause__ is error
    assert reported.cause is not None
    reported.cause.encode()
    cause = json.loads(reported.cause)
    assert list(cause) == ["errorMessage", "errorType", "requestId", "stackTrace"]
    assert (cause["errorMessage"], cause["errorType"]) == (message, name)


def charge(event: Any) -> None:
    _refuse(event["n"])


def _refuse(n: int) -> None:
    raise PaymentDeclined(f"no {n}")


def test_the_cause_is_the_text_that_lambda_sends_and_names_the_task() -> None:
    line = charge.__code__.co_firstlineno
    frames = [
        f'  File "{__file__}", line {line + 1}, in charge\n    _refuse(event["n"])\n',
        f'  File "{__file__}", line {line + 5}, in _refuse\n    raise PaymentDeclined(f"no {{n}}")\n',
        f"  the task f ({__file__}:{line}) of the state Pay\n",
    ]
    report = {
        "errorMessage": "no 1",
        "errorType": "PaymentDeclined",
        "requestId": request_id(KEY),
        "stackTrace": frames,
    }
    assert failure(charge).cause == json.dumps(report)


def test_a_project_beside_the_engine_is_not_the_engine() -> None:
    file = str(Path(asl_engine.__file__).parent) + "_shop/pay.py"
    names: dict[str, Any] = {}
    exec(compile("def pay(event): return event['x']", file, "exec"), names)  # noqa: S102  a callable with a file name of our making
    frames = json.loads(failure(names["pay"]).cause or "")["stackTrace"]
    assert frames == [f'  File "{file}", line 1, in pay\n', f"  the task f ({file}:1) of the state Pay\n"]


def refused(event: Any) -> None:
    try:
        _refuse(event["n"])
    except PaymentDeclined as declined:
        raise ValueError("no such order") from declined


def replaced(event: Any) -> None:
    try:
        _refuse(event["n"])
    except PaymentDeclined:
        raise ValueError("no such order")  # noqa: B904  that is the point


def silenced(event: Any) -> None:
    try:
        _refuse(event["n"])
    except PaymentDeclined:
        raise ValueError("no such order") from None


def several(event: Any) -> None:
    try:
        _refuse(event["n"])
    except PaymentDeclined as declined:
        raise ExceptionGroup("all failed", [KeyError("a"), declined]) from None


@pytest.mark.parametrize(
    ("function", "told"),
    [
        (refused, ["caused by PaymentDeclined: no 1"]),
        (replaced, ["while handling PaymentDeclined: no 1"]),
        (silenced, []),
        (several, ["member 1 of 2: KeyError: 'a'", "member 2 of 2: PaymentDeclined: no 1"]),
    ],
)
def test_what_an_exception_was_caused_by_and_contains_is_told(function: Any, told: list[str]) -> None:
    trace = json.loads(failure(function).cause or "")["stackTrace"]
    assert trace[1] == f"  the task f ({__file__}:{function.__code__.co_firstlineno}) of the state Pay\n"
    assert [line.strip() for line in trace[2:] if not line.startswith("  File")] == told
    if told:  # with its frames
        assert "in _refuse" in trace[-1]


def test_a_chain_of_causes_is_told_as_far_as_a_cause_has_room() -> None:
    def chained(_event: Any) -> None:
        error: Exception = ValueError("0")
        for number in range(1, 100):
            following = ValueError(str(number))
            following.__cause__ = error
            error = following
        error.__cause__.__cause__.__context__ = error  # type: ignore[union-attr]  # in a circle
        raise error

    trace = json.loads(failure(chained).cause or "")["stackTrace"]
    assert [line for line in trace if "caused by" in line] == [
        f"  caused by ValueError: {number}\n" for number in range(98, 90, -1)
    ]


@pytest.mark.parametrize("kind", [0, 1], ids=["plain", "async"])
def test_a_states_error_passes_unchanged(kind: int) -> None:
    error = StatesError("Card.Declined", None)
    assert failure(raising(error)[kind]) is error
    assert error.__cause__ is None


@pytest.mark.parametrize("kind", [0, 1], ids=["plain", "async"])
@pytest.mark.parametrize(
    ("code", "outcome"),
    [
        (None, "exited without providing a reason"),
        (0, "exited without providing a reason"),
        (3, "exited with error: exit status 3"),
        ("fatal", "exited with error: exit status 1"),
    ],
)
def test_sys_exit_is_the_exit_of_the_function(
    code: Any, outcome: str, kind: int, capsys: pytest.CaptureFixture[str]
) -> None:
    reported = failure(raising(SystemExit(code))[kind])
    message = f"RequestId: {request_id(KEY)} Error: Runtime {outcome}"
    assert reported.error == "Runtime.ExitError"
    assert reported.cause == f'{{"errorType":"Runtime.ExitError","errorMessage":"{message}"}}'
    assert capsys.readouterr().err == ("fatal\n" if code == "fatal" else "")


# -- @task -----------------------------------------------------------------------------------------------


def test_task_marks_and_returns_the_function() -> None:
    def pay() -> None: ...

    def refund() -> None: ...

    def ship() -> None: ...

    def bare() -> None: ...

    assert task(pay) is pay
    assert task("Refund")(refund) is refund
    assert task(name="Ship")(ship) is ship
    assert task()(bare) is bare
    marks = [vars(function)["__asl_task__"] for function in (pay, refund, ship, bare)]
    assert marks == ["pay", "Refund", "Ship", "bare"]


def test_the_package_exports_on_first_use() -> None:
    assert asl_engine.__getattr__("task") is task
    with pytest.raises(AttributeError, match="'nothing'"):
        asl_engine.__getattr__("nothing")
    program = "import sys, asl_engine; print(sorted(m for m in sys.modules if m.startswith('asl_engine.')))"
    output = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True, text=True)
    assert output.stdout == "[]\n"


def test_an_async_callable_may_raise_anything() -> None:
    class Odd(BaseException):
        """Not an Exception."""

    async def odd(event: Any) -> None:
        del event
        raise Odd("really")

    with pytest.raises(StatesError) as failed:
        answer(odd, name="odd")
    assert failed.value.error == "Odd"


def test_the_time_that_a_call_has_left_is_not_that_of_the_wall_clock() -> None:
    wall, steady = [60 * 10**9], [7]
    left = time_left(61_500, lambda: wall[0], lambda: steady[0])
    assert left() == 1500
    wall[0] += 3600 * 10**9  # somebody sets it
    steady[0] += 10**9
    assert left() == 500
    steady[0] += 10**9
    assert left() == 0


def test_a_call_tells_the_time_that_it_has_left() -> None:
    seen: list[int] = []

    def look(_event: Any, context: TaskContext) -> None:
        seen.append(context.get_remaining_time_in_millis())

    deadline = time.time_ns() // 1_000_000 + 60_000
    answer(look, a_call(deadline=deadline), "pay")
    assert 0 < seen[0] <= 60_000
