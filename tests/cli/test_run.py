"""`asl run`: what comes out where, with which exit code, and under which name."""

from __future__ import annotations

import io
import json
import sys
from signal import SIGINT, SIGTERM
from typing import TYPE_CHECKING, Any

import pytest

from asl_engine.cli.start import RunRequest, prepare
from asl_engine.store.sqlite.store import SqliteStore
from tests.cli.project import PASS, SUM, finished, machine, resource, task, wait_for

if TYPE_CHECKING:
    from tests.cli.project import Project

RETRY = [{"ErrorEquals": ["OutOfStockError"], "IntervalSeconds": 3600, "MaxAttempts": 3}]

ENDINGS = {
    "succeeded": (SUM, 0, '{"n":7}\n', "SUCCEEDED  one  m"),
    "failed": (machine(F=task("fail")), 1, "", "OutOfStockError: nothing left\n"),
    "a Fail state": (machine(F={"Type": "Fail", "Error": "Bad", "Cause": "so be it"}), 1, "", "Bad: so be it\n"),
    "a Fail state without words": (machine(F={"Type": "Fail"}), 1, "", "FAILED  one  m"),
    "a task that timed out": (
        machine(N=task("never", TimeoutSeconds=1)),
        1,
        "",
        "States.Timeout\n  in the state N, which calls the task never (",
    ),
    "not JSON": (machine(N=task("not_json")), 1, "", "Runtime.MarshalError: Unable to marshal response"),
    "timed out": ({**machine(N=task("never")), "TimeoutSeconds": 1}, 3, "", "States.Timeout\nTIMED_OUT"),
}


@pytest.mark.parametrize(("definition", "code", "output", "said"), ENDINGS.values(), ids=ENDINGS)
def test_endings(project: Project, definition: Any, code: int, output: str, said: str) -> None:
    result = project.ran(definition, "--input", '{"n": 3}')
    assert (result.code, result.out) == (code, output)
    assert said in result.err
    assert "(asl history one)" in result.err
    assert "Traceback" not in result.err


def test_what_tasks_print_does_not_get_into_the_output(project: Project) -> None:
    assert "a word from double" in project.ran(SUM, "-i", '{"n":1}').err


def test_the_place_of_a_failure_is_shown(project: Project) -> None:
    result = project.ran(machine(F=task("fail")))
    assert 'callables.py", line' in result.err
    assert 'raise OutOfStockError("nothing left")' in result.err


def test_of_a_key_that_an_input_has_twice_the_last_one_counts(project: Project) -> None:
    (project.root / "i.json").write_text('{"n": 1, "n": 2}')
    done = machine(Done={"Type": "Pass", "OutputPath": "$.n"})
    assert project.ran(done, "-q", "--input", "i.json").out == "2\n"


def test_quiet(project: Project) -> None:
    result = project.ran(machine(Done={"Type": "Pass"}), "-q")
    assert (result.out, result.err) == ("{}\n", "")


def test_json_is_what_describe_execution_answers(project: Project) -> None:
    result = project.ran(SUM, "--input", '{"n": 3}', "--json")
    shown = result.json
    assert shown.pop("startDate") <= shown.pop("stopDate")
    assert shown == {
        "executionArn": "arn:aws:states:us-east-1:123456789012:execution:m:one",
        "stateMachineArn": "arn:aws:states:us-east-1:123456789012:stateMachine:m",
        "name": "one",
        "status": "SUCCEEDED",
        "input": '{"n": 3}',
        "inputDetails": {"included": True},
        "output": '{"n":7}',
        "outputDetails": {"included": True},
        "redriveCount": 0,
        "redriveStatus": "NOT_REDRIVABLE",
        "redriveStatusReason": "Execution is SUCCEEDED and cannot be redriven",
    }


def test_json_of_a_failure(project: Project) -> None:
    shown = project.ran(machine(F={"Type": "Fail", "Error": "Bad", "Cause": "so be it"}), "--json").json
    assert (shown["status"], shown["error"], shown["cause"]) == ("FAILED", "Bad", "so be it")
    assert "output" not in shown


def test_waits_and_backoffs_are_skipped_on_request(project: Project) -> None:
    definition = machine(F=task("flaky", Retry=RETRY), W={"Type": "Wait", "Seconds": 86_400})
    result = project.ran(definition, "--time", "skip")
    assert result.code == 0
    assert "1 d 3 h" in result.err  # 3,600 and 7,200 seconds of backoff, and a day


INPUTS = {
    "none": ([], "{}"),
    "text": (["--input", '{"a": [1, "ü"]}'], '{"a": [1, "ü"]}'),
    "a number": (["-i", "7"], "7"),
    "null": (["-i", "null"], "null"),
    "a file": (["-i", "given.json"], '{"from": "a file"}'),
    "a file with a byte order mark": (["-i", "marked.json"], '{"n": 1}'),
    "standard input": (["-i", "-"], '{"from": "stdin"}'),
}


@pytest.mark.parametrize(("arguments", "kept"), INPUTS.values(), ids=INPUTS)
def test_inputs_are_kept_to_the_letter(
    project: Project, monkeypatch: pytest.MonkeyPatch, arguments: list[str], kept: str
) -> None:
    (project.root / "given.json").write_text('{"from": "a file"}')
    (project.root / "marked.json").write_bytes(b'\xef\xbb\xbf{"n": 1}')
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b'{"from": "stdin"}')))
    assert project.ran(PASS, *arguments, "--json").json["input"] == kept


def test_no_standard_input_at_all(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", None)
    result = project.ran(PASS, "-i", "-")
    assert result.code == 2
    assert "standard input: the input is empty" in result.err


def test_an_input_may_be_larger_without_the_limits_of_aws(project: Project) -> None:
    (project.root / "large.json").write_text(json.dumps("x" * 262_144))
    assert project.ran(PASS, "-i", "large.json", "--no-aws-limits", "-q").code == 0


NAMES = {
    "order.json": "order",
    "order.asl.json": "order",
    "my order.v2.json": "my_order.v2",
    "Größe.json": "Größe",
    f"{'x' * 90}.json": "x" * 80,
}


@pytest.mark.parametrize(("file", "name"), NAMES.items())
def test_the_machine_is_called_after_its_file(project: Project, file: str, name: str) -> None:
    (project.root / file).write_text(json.dumps(PASS))
    assert prepare(RunRequest(file)).machine_name == name


def test_a_machine_from_the_standard_input(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(json.dumps(PASS).encode())))
    result = project.asl("run", "-", "--name", "one")
    assert result.code == 0
    assert result.err.startswith("SUCCEEDED  one  stdin  ")


def test_a_name_is_made_where_none_is_given(project: Project) -> None:
    result = project.asl("run", project.define("m", PASS))
    shown = project.asl("list", "--json").json["executions"][0]["name"]
    assert len(shown) == 36
    assert f"(asl history {shown[:8]})" in result.err


def test_the_database_is_named_where_it_would_not_be_found(project: Project) -> None:
    result = project.ran(PASS, "--db", "else where.db")
    assert f"(asl history one --db '{project.root / 'else where.db'}')" in result.err
    assert not project.db.exists()


@pytest.mark.parametrize("arguments", [[], ["--db", "../.asl/asl.db"]], ids=["project", "--db"])
def test_the_database_is_not_named_where_dots_lead_to_it(
    project: Project, monkeypatch: pytest.MonkeyPatch, arguments: list[str]
) -> None:
    project.define("m", PASS)
    monkeypatch.chdir(project.root / "tasks")
    assert "(asl history one)" in project.asl("run", "../statemachines/m.json", "--name", "one", *arguments).err


def test_the_database_of_the_environment(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ASL_DB", "mine.db")
    assert "(asl history one)" in project.ran(PASS).err
    assert (project.root / "mine.db").exists()


def test_a_broken_configuration_here_does_not_spoil_a_run_there(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    elsewhere = project.root.parent / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "asl.toml").write_text("nonsense")
    definition = str(project.root / project.define("m", PASS))
    monkeypatch.chdir(elsewhere)
    result = project.asl("run", definition)
    assert result.code == 0
    assert f"--db {project.db}" in result.err


@pytest.mark.parametrize("variable", [None, "AWS_REGION", "AWS_DEFAULT_REGION"])
@pytest.mark.parametrize("region", ["us-east-1", "region"])
def test_lambda_where_nothing_local_serves(
    project: Project, monkeypatch: pytest.MonkeyPatch, variable: str | None, region: str
) -> None:
    """Nobody listens at the endpoint: what matters is that it is asked, and how that fails."""
    monkeypatch.delenv("AWS_REGION", raising=False)
    monkeypatch.delenv("AWS_DEFAULT_REGION", raising=False)
    if variable is not None:
        monkeypatch.setenv(variable, "eu-west-1")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "nobody")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "nothing")
    resource = f"arn:aws:lambda:{region}:123456789012:function:elsewhere"
    definition = machine(T={"Type": "Task", "Resource": resource})
    assert "--lambda" in project.ran(definition).err
    result = project.ran(definition, "--lambda", "--lambda-endpoint", "http://127.0.0.1:9")
    assert result.code == 1
    assert result.err.startswith("Lambda.SdkClientException: Could not connect to the endpoint URL: ")


# -- names --------------------------------------------------------------------------------------------


def test_a_name_that_has_ended_is_taken(project: Project) -> None:
    project.ran(PASS, "-i", "1")
    result = project.ran(PASS, "-i", "1")
    assert result.code == 2
    assert "the execution one of m exists and has ended (SUCCEEDED): choose another --name" in result.err


def test_a_running_execution_is_taken_up_by_its_name(project: Project) -> None:
    """Its process is gone: the second command goes on where it stopped."""
    definition = machine(I=task("interrupt", ResultPath=None), D={"Type": "Pass", "Result": 1})
    assert project.ran(definition, "-i", f'{{"signal": {int(SIGINT)}, "b": 1}}').code == 130
    callables = project.root / "tasks" / "callables.py"
    callables.write_text("def interrupt(event):\n    return 2\n")
    for name in [name for name in sys.modules if name.endswith("callables")]:
        del sys.modules[name]
    other = project.ran(PASS, "-i", '{"signal": 0}')
    assert other.code == 2
    assert "is running with another definition: choose another --name" in other.err
    other = project.ran(definition, "-i", '{"signal": 0}')
    assert other.code == 2
    assert "is running with another input: choose another --name" in other.err
    again = project.ran(definition, "-i", f'{{"b":1, "signal":{int(SIGINT)}}}')
    assert (again.code, again.out) == (0, "1\n")


def test_a_running_execution_is_followed_by_its_name(project: Project) -> None:
    """Its process is alive: the second command waits for the same end; no task runs twice."""
    calls, gate = project.root / "calls", project.root / "gate"
    given = json.dumps({"calls": str(calls), "gate": str(gate)})
    first = project.spawn("run", project.define("m", machine(C=task("count"))), "--name", "one", "-i", given)
    wait_for(calls.exists)
    busy = project.asl("resume", "one")
    assert busy.code == 2
    assert "is being run by another process: watch it with `asl history one --follow`" in busy.err
    second = project.spawn("run", "statemachines/m.json", "--name", "one", "-i", given, "-q")
    leases = project.db.with_name("asl.db-leases")
    wait_for(lambda: len(list(leases.iterdir())) == 2)  # the second has asked for the execution
    gate.touch()
    assert [(end.code, end.out) for end in (finished(first), finished(second))] == [(0, '{"passed":true}\n')] * 2
    assert calls.read_text() == "x"


def test_another_process_may_be_quicker(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """The name was free when it was looked up, and is taken when the execution is to be stored."""
    project.ran(PASS)
    answers: list[Any] = [None]

    async def record(store: SqliteStore, arn: str) -> Any:
        return answers.pop() if answers else await looked_up(store, arn)

    looked_up = SqliteStore.record
    monkeypatch.setattr(SqliteStore, "record", record)
    result = project.ran(PASS)
    assert result.code == 2
    assert "exists and has ended (SUCCEEDED)" in result.err


# -- signals ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("number", "code"), [(SIGINT, 130), (SIGTERM, 143)])
def test_an_interrupted_run_is_kept(project: Project, number: int, code: int) -> None:
    result = project.ran(machine(I=task("interrupt")), "-i", json.dumps({"signal": int(number)}))
    assert result.code == code
    assert result.out == ""
    assert result.err == "interrupted: execution one is kept; go on with: asl resume one\n"
    assert project.asl("show", "one", "--json").json["status"] == "RUNNING"


def test_a_missing_resource_is_found_before_anything_is_stored(project: Project) -> None:
    result = project.ran(machine(A=task("flakky"), B=task("nowhere")))
    assert result.code == 2
    assert "there is no task callable for the function 'flakky'" in result.err
    assert "did you mean 'flaky'?" in result.err
    assert resource("nowhere") in result.err
    assert "add_one, count, double" in result.err
    assert not project.db.exists()
