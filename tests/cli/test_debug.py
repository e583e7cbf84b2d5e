"""`asl debug`: sessions by files and pipes, executions that are left, killed and taken up again."""

from __future__ import annotations

import json
import os
import select
import signal
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

from asl_engine.cli.debug_lines import completions
from tests.cli.project import PATIENCE_SECONDS, ROOT, SUM, machine, task, wait_for

if TYPE_CHECKING:
    from pathlib import Path

    from tests.cli.project import Project, Result

WAITING = machine(Double=task("double"), Wait={"Type": "Wait", "Seconds": 7200}, AddOne=task("add_one"))


def debugged(project: Project, definition: Any, lines: str, *arguments: str) -> Result:
    (project.root / "lines.txt").write_text(lines, encoding="utf-8")
    options = ["--input", '{"n": 1}', "--name", "one", "--commands", "lines.txt", *arguments]
    return project.asl("debug", project.define("m", definition), *options)


def test_a_session_from_a_file(project: Project) -> None:
    result = debugged(project, SUM, "# a comment\n\nbreak AddOne\ncontinue\nset $.n 100\ncontinue\n")
    assert result.code == 0
    assert result.out.splitlines() == [
        "before Double",
        '  input: {"n":1}',
        "(asl) # a comment",
        "(asl) break AddOne",
        "1  before AddOne",
        "(asl) continue",
        "before AddOne  (breakpoint 1)",
        '  input: {"n":2}',
        "(asl) set $.n 100",
        "before AddOne",
        '  input: {"n":100}',
        "(asl) continue",
        "the execution has ended: SUCCEEDED",
        '  output: {"n":101}',
    ]
    assert result.err == "a word from double\n"  # what tasks print is no part of the session
    assert project.asl("show", "one", "--json").json["status"] == "SUCCEEDED"
    assert project.asl("replay", "one").code == 0
    assert project.asl("check").code == 0


def test_virtual_time_is_the_default_and_kept_for_a_resume(project: Project) -> None:
    result = debugged(project, WAITING, "next\n")
    assert "before Wait" in result.out
    assert "left: execution one is kept; go on with: asl resume one" in result.err
    assert project.asl("resume", "one", "--quiet").out == '{"n":3}\n'


def test_in_memory_nothing_is_kept(project: Project) -> None:
    result = debugged(project, SUM, "next\n", "--memory")
    assert (result.code, "before AddOne" in result.out, "left:" in result.err) == (0, True, False)
    assert not project.db.exists()


def test_stop_aborts(project: Project) -> None:
    assert debugged(project, SUM, "next\nstop\nnext\n").code == 0
    assert project.asl("show", "one", "--json").json["status"] == "ABORTED"


def test_mocks_of_a_test_case(project: Project) -> None:
    mocks = {
        "StateMachines": {"m": {"TestCases": {"Case": {"AddOne": "Mocked"}}}},
        "MockedResponses": {"Mocked": {"0": {"Return": {"mocked": True}}}},
    }
    (project.root / "mocks.json").write_text(json.dumps(mocks), encoding="utf-8")
    result = debugged(project, SUM, "continue\n", "--mock", "mocks.json#Case")
    assert '  output: {"mocked":true}' in result.out


def test_a_past_execution(project: Project) -> None:
    project.ran(machine(D=task("double"), F=task("fail")), "-i", '{"n": 1}')
    (project.root / "lines.txt").write_text("back\nback\nset $.n 7\nmock F {}\ncontinue\n", encoding="utf-8")
    result = project.asl("debug", "--execution", "one", "--commands", "lines.txt")
    assert result.code == 0
    assert "the execution has ended: FAILED with OutOfStockError: nothing left\n" in result.out
    assert "at an error of F: OutOfStockError: nothing left  [place 3 of 4]" in result.out
    assert "goes on as the fork one-fork-1\nthe execution has ended: SUCCEEDED" in result.out
    assert project.asl("show", "one", "--json").json["status"] == "FAILED"
    assert project.asl("replay", "one-fork-1").code == 0


def test_a_definition_that_has_changed_since(project: Project) -> None:
    project.ran(SUM, "-i", '{"n": 1}')
    path = project.define("m", machine(Other={"Type": "Pass"}))
    (project.root / "lines.txt").write_text("path\n", encoding="utf-8")
    result = project.asl("debug", "--execution", "one", "--commands", "lines.txt")
    assert f"{path} has changed since, or was filled in otherwise: the recorded definition counts" in result.err
    assert "before Double" in result.out
    (project.root / path).unlink()
    result = project.asl("debug", "--execution", "one", "--commands", "lines.txt")
    assert "m.json any more: the recorded definition counts" in result.err


REFUSED: dict[str, tuple[list[str], str]] = {
    "nothing": ([], "name a definition to run, or a past execution with --execution"),
    "both": (["m.json", "--execution", "one"], "name a definition to run, or a past execution"),
    "input for a past one": (["--execution", "one", "--input", "{}"], "--execution names one"),
    "no such execution": (["--execution", "one"], "There is no database"),
    "no such file": (["nothing.json"], "there is no file nothing.json"),
    "no such time": (["statemachines/m.json", "--time", "soon"], "--time soon: it is real, skip or scale=N"),
    "no such commands": (
        ["statemachines/m.json", "--commands", "no.txt"],
        "there is no file no.txt",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_is_refused(project: Project, case: str) -> None:
    project.define("m", SUM)
    (project.root / "lines.txt").write_text("", encoding="utf-8")
    arguments, message = REFUSED[case]
    given = arguments if "--commands" in arguments else [*arguments, "--commands", "lines.txt"]
    result = project.asl("debug", *given)
    assert (result.code, result.out) == (2, "")
    assert message in result.err


def test_standard_input_is_read_once(project: Project) -> None:
    for arguments in (["-"], [project.define("m", SUM), "--input", "-"]):
        result = project.asl("debug", *arguments)
        assert (result.code, "the commands come from the standard input" in result.err) == (2, True)


def test_a_command_that_cannot_be_carried_out_is_told_by_the_exit_code(project: Project) -> None:
    result = debugged(project, SUM, "break Nowhere\nnext\n")
    assert result.code == 2
    assert "error: the machine has no state 'Nowhere' (there are Double, AddOne)" in result.out
    assert "before AddOne" in result.out


def test_a_running_execution_that_another_process_drives_is_refused(project: Project) -> None:
    process = piped(project, WAITING)
    try:
        read_until(process, "before Double")
        (project.root / "lines.txt").write_text("", encoding="utf-8")
        result = project.asl("debug", "--execution", "one", "--commands", "lines.txt")
        assert result.code == 2
        assert "is being run by another process" in result.err
    finally:
        process.kill()
        process.communicate()


# -- killed -------------------------------------------------------------------------------------------


def piped(project: Project, definition: Any) -> subprocess.Popen[str]:
    """A session that is given its lines one by one."""
    path = project.define("m", definition)
    arguments = ["debug", path, "--name", "one", "--input", '{"n": 1}']
    return project.spawn(*arguments, stdin=subprocess.PIPE, bufsize=1)


def tell(process: subprocess.Popen[str], line: str) -> None:
    assert process.stdin is not None
    process.stdin.write(f"{line}\n")
    process.stdin.flush()


def read_until(process: subprocess.Popen[str], text: str) -> None:
    assert process.stdout is not None
    for line in process.stdout:
        if text in line:
            return
    pytest.fail(f"it has ended without {text!r}: {process.stderr.read() if process.stderr else ''}")


KILLED = {
    "at its beginning": ([], "before Double", "one", '{"n":3}'),
    "at a breakpoint": (["break AddOne", "continue"], "before AddOne  (breakpoint 1)", "one", '{"n":3}'),
    "after an edit": (["break AddOne", "continue", "set $.n 100"], '"n":100', "one", '{"n":101}'),
    "in the past": (["next", "next", "back", "set $.n 9"], "edited]", "one", '{"n":3}'),
    "in a fork": (["next", "next", "back", "set $.n 9", "next"], "before AddOne", "one-fork-1", '{"n":10}'),
}


@pytest.mark.parametrize("case", KILLED)
def test_a_killed_debugger_leaves_what_resume_can_take(project: Project, case: str) -> None:
    lines, shown, name, output = KILLED[case]
    process = piped(project, WAITING)
    try:
        for line in lines:
            tell(process, line)
        if case == "in a fork":
            read_until(process, "goes on as the fork")
        read_until(process, shown)
    finally:
        process.kill()
        process.communicate(timeout=PATIENCE_SECONDS)
    assert project.asl("show", name, "--json").json["status"] == "RUNNING"
    result = project.asl("resume", name, "--quiet")
    assert (result.code, result.out) == (0, f"{output}\n")
    assert project.asl("replay", name).code == 0
    assert project.asl("check").code == 0


def test_a_task_that_ends_the_process_is_told_of(project: Project) -> None:
    (project.root / "tasks" / "leaving.py").write_text("import os\ndef leave(event):\n    os._exit(0)\n")
    path = project.define("m", machine(Leave=task("leave")))
    (project.root / "lines.txt").write_text("continue\n", encoding="utf-8")
    result = project.process("debug", path, "--name", "one", "--commands", "lines.txt")
    assert result.code == 75
    assert "asl resume --all" in result.err


@pytest.mark.skipif(os.name == "nt", reason="signals are sent otherwise there")
def test_ctrl_c_stops_the_execution_where_it_is(project: Project) -> None:
    path = project.define("m", machine(Count=task("count"), Done={"Type": "Pass"}))
    calls, gate = project.root / "calls", project.root / "gate"
    data = json.dumps({"calls": str(calls), "gate": str(gate)})
    process = project.spawn("debug", path, "--name", "one", "--input", data, stdin=subprocess.PIPE, bufsize=1)
    try:
        read_until(process, "before Count")
        tell(process, "continue")
        wait_for(calls.exists)
        process.send_signal(signal.SIGINT)
        read_until(process, "within Count")
        process.send_signal(signal.SIGINT)
        tell(process, "where")
        read_until(process, "within Count")
        gate.touch()
        tell(process, "continue")
        read_until(process, "SUCCEEDED")
        tell(process, "quit")
        _, err = process.communicate(timeout=PATIENCE_SECONDS)
        assert (process.returncode, "(quit leaves the debugger)" in err) == (0, True)
    finally:
        process.kill()
        process.communicate()


def read_screen(controller: int, text: str | None) -> str:
    """What is written to a terminal until this text has come, or until it is left."""
    shown = ""
    while text is None or text not in shown:
        ready, _, _ = select.select([controller], [], [], PATIENCE_SECONDS)
        assert ready, f"{text!r} has not come: {shown!r}"
        try:
            read = os.read(controller, 4096).decode()
        except OSError:  # how Linux tells that nobody has the terminal any more
            read = ""
        if not read:
            assert text is None, f"{text!r} has not come: {shown!r}"
            break
        shown += read
    return shown


@pytest.mark.skipif(sys.platform == "win32", reason="there are no such terminals")
def test_at_a_terminal(project: Project, tmp_path: Path) -> None:
    """A prompt, completion by Tab, colours, an empty line that repeats the last command, no failure for a slip."""
    import pty

    path = project.define("m", SUM)
    controller, terminal = pty.openpty()
    environment = os.environ | {"PYTHONPATH": str(ROOT), "HOME": str(tmp_path), "TERM": "xterm-256color"}
    process = subprocess.Popen(
        [sys.executable, "-m", "asl_engine", "debug", path, "--input", '{"n": 1}', "--memory"],
        cwd=project.root,
        env=environment,
        stdin=terminal,
        stdout=terminal,
        stderr=subprocess.PIPE,
    )
    os.close(terminal)
    try:
        shown = read_screen(controller, "(asl) ")
        for typed, expected in (
            ("break Ad\t\n", "break AddOne"),
            ("brek\n", "no command"),
            ("next\n", "before AddOne  (breakpoint 1)"),
            ("\n", "at the end of the execution, after AddOne"),
        ):
            os.write(controller, typed.encode())
            shown += read_screen(controller, expected)
        assert "\x1b[" in shown
        os.write(controller, b"qui\t\n")
        read_screen(controller, None)
        assert process.wait(PATIENCE_SECONDS) == 0
    finally:
        process.kill()
        process.communicate()
        os.close(controller)
    assert (tmp_path / ".asl_debug_history").exists()


def test_a_machine_that_starts_another_one(project: Project) -> None:
    project.define("inner", machine(Rest={"Type": "Wait", "Seconds": 60}, AddOne=task("add_one")))
    call = {
        "Type": "Task",
        "Resource": "arn:aws:states:::states:startExecution.sync:2",
        "Parameters": {
            "StateMachineArn": "arn:aws:states:us-east-1:123456789012:stateMachine:inner",
            "Input.$": "$",
        },
        "OutputPath": "$.Output",
    }
    result = debugged(project, machine(Call=call, AddOne=task("add_one")), "break AddOne\nnext\ncontinue\n")
    assert result.code == 0
    # It stops in the machine that is debugged; the other one, which has a state of that name, goes by.
    assert 'before AddOne  (breakpoint 1)\n  input: {"n":2}' in result.out
    assert result.out.endswith('SUCCEEDED\n  output: {"n":3}\n')
    assert [one["status"] for one in project.asl("list", "--json").json["executions"]] == ["SUCCEEDED"] * 2


def test_completion(project: Project) -> None:
    class Session:
        class breakpoints:  # noqa: N801  as the attribute is called
            languages = {"Pay": "JSONPath", "Ship": "JSONPath"}  # noqa: RUF012  a table

    class Terminal:
        session = Session

    del project
    assert completions(Terminal, "re", first=True) == ["restart"]  # type: ignore[arg-type]  # all that is asked of it
    assert completions(Terminal, "P", first=False) == ["Pay"]  # type: ignore[arg-type]  # as above
