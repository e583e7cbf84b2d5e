"""Lambda functions in processes of their own, and at an emulator."""

from __future__ import annotations

import asyncio
import json
import re
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

import pytest

from asl_engine.errors import ProjectError, StatesError
from asl_engine.resources.catalog import Catalog
from asl_engine.resources.lambda_.local import LocalFunction, read_functions
from asl_engine.resources.python.context import InvokeOptions, request_id
from asl_engine.resources.python.registry import Registry
from asl_engine.resources.services import Services
from tests.mappings.harness import until
from tests.resources.calls import a_call

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

HANDLERS = """
import os, sys, time

calls = 0

def count(event, context):
    global calls
    calls += 1
    print("a word")
    return {"calls": calls, "event": event, "pid": os.getpid()}

def where(event, context):
    return {
        "stage": os.environ.get("STAGE"), "secret": os.environ.get("AWS_SECRET_ACCESS_KEY"),
        "folder": os.getcwd(), "name": context.function_name, "arn": context.invoked_function_arn,
        "left": context.get_remaining_time_in_millis() > 0,
    }

def tell(event, context):
    identity, client = context.identity, context.client_context
    context.log("one ")
    context.log(2)
    return {
        **{name: getattr(context, name) for name in event},
        "identity": [identity.cognito_identity_id, identity.cognito_identity_pool_id],
        "client": client and [client.custom, client.env, client.client.app_title],
        "trace": context.w3c(),
        "environment": {name: text for name, text in os.environ.items() if name.startswith("AWS_LAMBDA")},
        "repr": repr(context),
    }

def fail(event, context):
    try:
        {}["a"]
    except KeyError as error:
        raise ValueError("not today") from error

def half(event, context):
    return ["\\ud800"]

def half_raised(event, context):
    raise ValueError("\\ud800")

def unfit(event, context):
    return {"items": [1, {1, 2}]}

def die(event, context):
    os._exit(3)

def crash(event, context):
    os.kill(os.getpid(), 11)
    time.sleep(600)

def leave(event, context):
    sys.exit(0)

def hang(event, context):
    time.sleep(600)

def large(event, context):
    return "x" * 7_000_000
"""


@pytest.fixture
def made(tmp_path: Path) -> Iterator[Any]:
    (tmp_path / "handlers.py").write_text(HANDLERS)
    functions: list[LocalFunction] = []

    def make(handler: str, **more: Any) -> LocalFunction:
        table = {"handler": handler if ":" in handler else f"handlers:{handler}", "timeout": 30, **more}
        function = LocalFunction(read_functions({"f": table}, tmp_path, "asl.toml")["f"])
        functions.append(function)
        return function

    yield make
    for function in functions:
        function.close()


def test_who_hears_its_lines_hears_of_an_exception_what_lambdas_log_says(tmp_path: Path) -> None:
    (tmp_path / "handlers.py").write_text(HANDLERS)
    lines: list[tuple[str, str]] = []
    table = {"f": {"handler": "handlers:fail", "timeout": 30}}
    configured = read_functions(table, tmp_path, "asl.toml")["f"]
    function = LocalFunction(configured, hear=lambda name, line: lines.append((name, line)))
    with pytest.raises(StatesError):
        called(function, {})
    function.close()
    assert lines[:2] == [("f", "[ERROR] ValueError: not today"), ("f", "Traceback (most recent call last):")]
    assert ("f", '    raise ValueError("not today") from error') in lines


def called(function: LocalFunction, *events: Any) -> list[Any]:
    async def main() -> list[Any]:
        return [(await function(a_call("f", event))).value for event in events]

    return asyncio.run(main())


def failure(function: LocalFunction, event: Any = None) -> tuple[str | None, Any]:
    with pytest.raises(StatesError) as caught:
        called(function, event)
    return caught.value.error, json.loads(caught.value.cause or "")


def test_a_warm_process_takes_one_call_after_the_other(made: Any, capfd: Any) -> None:
    first, second = called(made("count"), {"n": "ü"}, [2])
    assert (first["calls"], second["calls"]) == (1, 2)
    assert first["pid"] == second["pid"]
    assert (first["event"], second["event"]) == ({"n": "ü"}, [2])
    told = capfd.readouterr()
    assert told.out == ""
    assert told.err == "a word\na word\n"


def test_it_logs_as_in_lambda(tmp_path: Path) -> None:
    """The root logger has a handler before the function's module is imported, and its level is WARNING."""
    (tmp_path / "app.py").write_text(
        "import logging\n"
        "logger = logging.getLogger()\n"
        "logger.warning('while it is imported')\n"
        "logger.info('not yet')\n"
        "logger.setLevel(logging.INFO)\n"
        "def handler(event, context):\n"
        "    logging.basicConfig(format='nothing, as there is a handler')\n"
        "    logger.info('line %s', 1)\n"
        "    return context.aws_request_id\n"
    )
    lines: list[str] = []
    configured = read_functions({"f": {"handler": "app:handler", "timeout": 30}}, tmp_path, "asl.toml")["f"]
    function = LocalFunction(configured, hear=lambda _, line: lines.append(line))

    async def main() -> Any:
        made = await function(a_call("f", {}))
        await until(lambda: len(lines) >= 2)
        return made.value

    request = asyncio.run(main())
    function.close()
    stamp = re.compile(r"\t\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z\t")
    told = [stamp.sub(" TIME ", line) for line in lines if line]
    assert told == ["[WARNING] TIME \twhile it is imported", f"[INFO] TIME {request}\tline 1"]


def test_a_package_that_is_missing_is_to_be_installed(made: Any, tmp_path: Path) -> None:
    (tmp_path / "early.py").write_text("import not_there.at_all\n")
    (tmp_path / "late.py").write_text("def handler(event, context):\n    import not_there\n")
    hint = f"  no requirements.txt is installed: not_there has to be installed for {sys.executable}\n"
    error, cause = failure(made("early:handler"))
    assert error == "ImportError"
    assert cause["errorMessage"] == "Unable to import module 'early:handler': No module named 'not_there'"
    assert hint in cause["stackTrace"]
    assert hint in failure(made("late:handler"))[1]["stackTrace"]
    assert "requirements" not in str(failure(made("nowhere:handler"))[1])  # a mistake in its own name


def test_the_level_of_its_log_is_lambdas_variable(made: Any, tmp_path: Path, capfd: Any) -> None:
    (tmp_path / "app.py").write_text("import logging\ndef handler(event, context):\n    logging.debug('small')\n")
    called(made("app:handler", environment={"AWS_LAMBDA_LOG_LEVEL": "DEBUG"}), {})
    assert re.search(r"^\[DEBUG\]\t[^\t]+Z\t[0-9a-f-]{36}\tsmall$", capfd.readouterr().err, re.MULTILINE)


def test_its_environment_is_its_own(made: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "ours")
    (result,) = called(made("where", environment={"STAGE": "dev"}), {})
    assert result == {
        "stage": "dev",
        "secret": None,
        "folder": str(tmp_path),
        "name": "f",
        "arn": "arn:aws:lambda:us-east-1:123456789012:function:f",
        "left": True,
    }


def test_the_context_has_all_that_lambdas_has(made: Any, capfd: Any) -> None:
    function, arn = made("tell"), "arn:aws:lambda:us-east-1:123456789012:function:f"
    names: list[Any] = [
        "function_name",
        "function_version",
        "invoked_function_arn",
        "memory_limit_in_mb",
        "tenant_id",
    ]
    names += ["aws_request_id", "log_group_name", "log_stream_name"]

    async def main(invoke_options: InvokeOptions) -> Any:
        call = a_call(f"{arn}:live", names)
        return json.loads((await function.invoke(call.input.text, call, invoke_options)).text)

    plain = asyncio.run(main(InvokeOptions()))
    stream = plain["log_stream_name"]
    assert re.fullmatch(r"\d{4}/\d\d/\d\d/\[\$LATEST\][0-9a-f]{32}", stream)
    assert [plain[name] for name in names] == [
        *("f", "$LATEST", f"{arn}:live", "128", None),
        *(request_id(a_call("f", {}).key), "/aws/lambda/f", stream),
    ]
    assert (plain["identity"], plain["client"], plain["trace"]) == ([None, None], None, {})
    assert plain["environment"] == {
        "AWS_LAMBDA_FUNCTION_NAME": "f",
        "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "128",
        "AWS_LAMBDA_LOG_GROUP_NAME": "/aws/lambda/f",
        "AWS_LAMBDA_LOG_STREAM_NAME": stream,
    }
    assert plain["repr"].startswith("LambdaContext([")
    client = {"custom": {"a": 1}, "env": None, "client": {"app_title": "shop"}, "w3c": {"tracestate": "x=1"}}
    called = asyncio.run(main(InvokeOptions(client, "blue")))
    assert (called["client"], called["trace"], called["tenant_id"]) == (
        [{"a": 1}, None, "shop"],
        {"tracestate": "x=1"},
        "blue",
    )
    assert "one 2" in capfd.readouterr().err


def test_an_exception_is_reported_as_lambda_does(made: Any, tmp_path: Path) -> None:
    error, cause = failure(made("fail"))
    assert error == "ValueError"
    assert set(cause) == {"errorMessage", "errorType", "requestId", "stackTrace"}
    assert cause["errorMessage"] == "not today"
    frame, task, because, origin = cause["stackTrace"]
    assert 'raise ValueError("not today") from error' in frame
    line = HANDLERS.splitlines().index("def fail(event, context):") + 1
    assert task == f"  the function f ({tmp_path / 'handlers.py'}:{line}) of the state S\n"
    assert because == "  caused by KeyError: 'a'\n"
    assert '{}["a"]' in origin


def test_the_part_of_a_result_that_is_not_json_is_named(made: Any, tmp_path: Path) -> None:
    line = HANDLERS.splitlines().index("def unfit(event, context):") + 1
    assert failure(made("unfit"))[1]["stackTrace"] == [
        "  $.items[1] is a set: {1, 2}\n",
        f"  returned by the function f ({tmp_path / 'handlers.py'}:{line}) of the state S\n",
    ]


@pytest.mark.parametrize("handler", ["half", "half_raised"])
def test_half_of_a_character_fails_the_call_and_not_its_process(made: Any, handler: str) -> None:
    error, cause = failure(made(handler))
    assert error == {"half": "Runtime.MarshalError", "half_raised": "ValueError"}[handler]
    assert "\\ud800" in json.dumps(cause)


@pytest.mark.parametrize(
    ("handler", "error", "message"),
    [
        (
            "unfit",
            "Runtime.MarshalError",
            "Unable to marshal response: Object of type set is not JSON",
        ),
        ("die", "Runtime.ExitError", "Error: Runtime exited with error: exit status 3"),
        ("crash", "Runtime.ExitError", "Error: Runtime exited with error: signal: segmentation fault"),
        ("leave", "Runtime.ExitError", "Error: Runtime exited without providing a reason"),
        ("large", "Function.ResponseSizeTooLarge", "Response payload size exceeded maximum allowed payload size"),
        ("nothing", "ImportError", "Unable to import module 'handlers:nothing'"),
    ],
)
def test_failures(made: Any, handler: str, error: str, message: str) -> None:
    function = made(handler)
    for _ in range(2):  # a process that has died is replaced
        found, cause = failure(function)
        assert found == error
        assert message in cause["errorMessage"]


def test_one_that_hangs_is_killed_and_replaced(made: Any) -> None:
    function = made("hang", timeout=0.3)
    error, cause = failure(function)
    assert error == "Sandbox.Timedout"
    assert cause["errorMessage"].endswith("Error: Task timed out after 0.30 seconds")
    assert function._processes.idle == []


def test_one_that_nobody_waits_for_is_killed(made: Any) -> None:
    function = made("hang")

    async def main() -> None:
        task = asyncio.ensure_future(function(a_call("f", {})))
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(main())
    assert function._processes.idle == []


SLOW_TO_START = """
import os, sys, time
from pathlib import Path

here = Path(__file__).parent
(here / f"begun-{os.getpid()}").touch()
try:
    (here / "first").touch(exist_ok=False)
except FileExistsError:
    while not (here / "open").exists():
        time.sleep(0.01)


def pid(event, context):
    while event and not (here / event).exists():
        time.sleep(0.01)
    return os.getpid()
"""


def begun(folder: Path) -> list[Path]:
    """A file for each process that has begun to start."""
    return [*folder.glob("begun-*")]


def test_a_call_takes_the_process_that_is_there_first(made: Any, tmp_path: Path) -> None:
    """The second call waits for a process that does not come to its end, and gets that of the first one."""
    (tmp_path / "slow.py").write_text(SLOW_TO_START)
    function = made("slow:pid")

    async def both() -> list[Any]:
        first = asyncio.ensure_future(function(a_call("f", "go")))
        second = asyncio.ensure_future(function(a_call("f", None)))
        await until(lambda: len(begun(tmp_path)) == 2)
        (tmp_path / "go").touch()
        answers = [one.value for one in await asyncio.gather(first, second)]
        (tmp_path / "open").touch()
        return answers

    one, other = asyncio.run(both())
    assert one == other


def test_no_more_processes_start_at_a_time_than_there_are_processors(
    made: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("os.cpu_count", lambda: 1)
    (tmp_path / "slow.py").write_text(SLOW_TO_START)
    functions = [made("slow:pid") for _ in range(4)]

    async def all_of_them() -> None:
        asked = [asyncio.ensure_future(function(a_call("f", None))) for function in functions]
        await asked[0]
        await until(lambda: len(begun(tmp_path)) == 2)
        assert not any(one.done() for one in asked[1:])
        (tmp_path / "open").touch()
        await asyncio.gather(*asked)

    asyncio.run(all_of_them())
    assert len(begun(tmp_path)) == 4


def test_the_timeout_begins_when_the_function_is_there(made: Any, tmp_path: Path) -> None:
    (tmp_path / "late.py").write_text("import time\ntime.sleep(1.1)\n\ndef here(event, context):\n    return 1\n")
    assert called(made("late:here", timeout=1), None) == [1]


def test_new_code_is_run_by_calls_that_wait_for_a_process(made: Any, tmp_path: Path) -> None:
    (tmp_path / "slow.py").write_text(SLOW_TO_START)
    (tmp_path / "first").touch()  # so each of them waits
    function = made("slow:pid")

    async def main() -> None:
        asked = asyncio.ensure_future(function(a_call("f", None)))
        await until(lambda: begun(tmp_path))
        (tmp_path / "slow.py").write_text("def pid(event, context):\n    return 'new'\n")
        function.renew()
        (tmp_path / "open").touch()
        assert (await asked).value == "new"

    asyncio.run(main())


def test_a_python_that_there_is_not(made: Any) -> None:
    function = made("count", python="/nowhere/python")
    with pytest.raises(StatesError) as caught:
        called(function, {})
    assert (caught.value.error, caught.value.cause) == (
        "Lambda.ServiceException",
        "Cannot run /nowhere/python: No such file or directory",
    )


def test_it_serves_its_arn_and_the_integration(made: Any) -> None:
    function = made("count")
    registry = Registry()
    registry.add("f", lambda _event: "in this process")
    catalog = Catalog(registry, None, Services(functions={"f": function}))
    arn = "arn:aws:lambda:us-east-1:123456789012:function:f"

    async def main() -> tuple[Any, Any]:
        direct: Any = await catalog[arn](a_call(arn, {"n": 1}))
        name = "arn:aws:states:::lambda:invoke"
        integrated: Any = await catalog[name](a_call(name, {"FunctionName": "f", "Payload": {"n": 2}}))
        return direct.value, integrated.value

    direct, integrated = asyncio.run(main())
    assert direct["event"] == {"n": 1}
    assert (integrated["Payload"]["event"], integrated["StatusCode"]) == ({"n": 2}, 200)


def test_an_emulator(tmp_path: Path) -> None:
    asked: list[tuple[str, bytes]] = []
    answers = [b'{"sum": 3}', b'{"errorType": "Bad", "errorMessage": "no"}']

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            asked.append((self.path, self.rfile.read(int(self.headers["Content-Length"]))))
            body = answers[min(len(asked), 2) - 1]
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002  the base class's name
            """Nothing into the output of the tests."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    table = {"endpoint": f"http://127.0.0.1:{server.server_port}"}
    function = LocalFunction(read_functions({"f": table}, tmp_path, "asl.toml")["f"])
    try:
        assert called(function, {"n": 1}) == [{"sum": 3}]
        assert failure(function) == ("Bad", {"errorType": "Bad", "errorMessage": "no"})
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
    assert asked[0] == ("/2015-03-31/functions/function/invocations", b'{"n":1}')
    with pytest.raises(StatesError) as caught:
        called(function, {})
    assert caught.value.error == "Lambda.SdkClientException"


@pytest.mark.parametrize(
    ("table", "message"),
    [
        (1, "it has to be a table"),
        ({}, "it has to have either handler or endpoint"),
        ({"handler": "a:b", "endpoint": "http://a"}, "it has to have either handler or endpoint"),
        ({"handler": "a"}, 'handler has to be "module:function"'),
        ({"endpoint": "localhost"}, "endpoint has to be a URL"),
        ({"handler": "a:b", "timeout": 901}, "timeout has to be a number of seconds, at most 900"),
        ({"handler": "a:b", "environment": {"A": 1}}, "environment has to be a table of texts"),
        ({"handler": "a:b", "folder": "gone"}, "there is no folder"),
        ({"handler": "a:b", "memories": 1}, "there is no key 'memories'"),
    ],
)
def test_refused(tmp_path: Path, table: Any, message: str) -> None:
    with pytest.raises(ProjectError) as caught:
        read_functions({"f": table}, tmp_path, "asl.toml")
    assert str(caught.value).startswith(f"asl.toml: functions.f: {message}")
