"""`asl debug` as an editor sees it, by debugpy's client, in a process of its own."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from debugpy.common.messaging import MessageHandlingError

from tests.cli.conftest import project
from tests.cli.project import ROOT, machine, task
from tests.core.steps import each, parallel, scope, state
from tests.debugging.editor import over_port, over_stdio

if TYPE_CHECKING:
    from tests.cli.project import Project
    from tests.debugging.editor import Editor

__all__ = ["project"]  # the fixture

ROW = machine(Double=task("double"), Wait={"Type": "Wait", "Seconds": 7200}, AddOne=task("add_one"))


def written(project: Project, definition: Any = ROW) -> str:
    """The absolute path of a definition that stands in many lines."""
    return str(project.root / project.define("m", json.dumps(definition, indent=2)))


def line_of(program: str, state: str) -> int:
    with open(program, encoding="utf-8") as file:  # noqa: PTH123  its lines
        return next(number for number, line in enumerate(file, 1) if line.strip().startswith(f'"{state}": {{'))


@pytest.mark.parametrize("channel", [over_stdio, over_port])
def test_a_session(project: Project, channel: Any) -> None:
    program = written(project)
    with channel(project) as (editor, process):
        wait, add = line_of(program, "Wait"), line_of(program, "AddOne")
        found = editor.launched(program, lines=[wait + 1, add, 1], input={"n": 1}, executionName="one")
        assert [(one["verified"], one.get("line")) for one in found] == [(True, wait), (True, add), (False, 1)]
        assert found[0]["message"] == "moved to where Wait begins"
        assert found[2]["message"] == "no state is here: set it in the lines of a state"
        stopped = editor.until("stopped")
        assert (stopped["reason"], stopped["hitBreakpointIds"]) == ("breakpoint", [found[0]["id"]])
        assert stopped["description"] == f"before Wait  (breakpoint {found[0]['id']})"
        thread = stopped["threadId"]
        assert editor.ask("threads")["threads"] == [{"id": thread, "name": "one"}]
        assert editor.stack(thread) == [("Wait  m one", wait)]
        scopes = editor.scopes(thread)
        assert list(scopes) == ["Input", "Variables", "Context"]
        assert editor.variables(scopes["Input"]) == {"n": "2"}
        assert editor.ask("setVariable", variablesReference=scopes["Input"], name="n", value="50")["value"] == "50"
        assert editor.ask("evaluate", expression="$.n", context="watch")["result"] == "50"
        assert editor.move("next", thread)["reason"] == "breakpoint"
        back = editor.move("stepBack", thread)
        assert (back["reason"], back["description"]) == ("step", "before Wait")
        assert editor.move("next", thread)["description"].startswith("before AddOne")
        editor.ask("continue", threadId=thread)
        assert editor.until("exited") == {"exitCode": 0}
        editor.until("terminated")
        assert "a word from double" in editor.output
        assert '{"n":51}' in editor.output
        editor.ask("disconnect")
        if channel is over_stdio:
            assert process.wait(30) == 0
    assert project.asl("show", "one", "--json").json["output"] == '{"n":51}'
    assert project.asl("replay", "one").code == 0


def test_breakpoints_with_conditions_hits_and_messages(project: Project) -> None:
    loop = scope(
        Count=state("Pass", Parameters={"i.$": "States.MathAdd($.i, 1)"}, Next="Again"),
        Again=state(
            "Choice", Choices=[{"Variable": "$.i", "NumericLessThan": 9, "Next": "Count"}], Default="Done"
        ),
        Done=state("Succeed"),
    )
    program = written(project, loop)
    with over_stdio(project) as (editor, _):
        count, again = line_of(program, "Count"), line_of(program, "Again")
        wanted = [
            {"line": count, "condition": "$.i >= 3"},
            {"line": again, "logMessage": "i is {$.i}"},
            {"line": again, "hitCondition": "2"},
            {"line": again, "condition": "$.i >"},
        ]
        found = editor.launched(program, lines=wanted, input={"i": 0}, memory=True)
        assert [one["verified"] for one in found] == [True, True, True, False]
        assert "cannot be compared with" in found[3]["message"]
        stopped = editor.until("stopped")
        assert stopped["hitBreakpointIds"] == [found[2]["id"]]
        thread = stopped["threadId"]
        assert editor.move("continue", thread)["hitBreakpointIds"] == [found[0]["id"]]
        assert editor.ask("evaluate", expression="$.i", context="hover")["result"] == "3"
        assert editor.breakpoints(program, []) == []
        editor.ask("continue", threadId=thread)
        editor.until("terminated")
        assert editor.output.count("i is ") == 3
        assert editor.breakpoints("/elsewhere/other.json", [3])[0]["message"].startswith("what is debugged is ")
        places = editor.ask("breakpointLocations", source={"path": program}, line=1, endLine=100)["breakpoints"]
        assert {"line": count} in places


BRANCHES = scope(
    Both=parallel(
        scope(A1=state("Pass", Next="A2"), A2=state("Pass")),
        scope(Each=each(scope(First=state("Pass", Next="Second"), Second=state("Pass")), ItemsPath="$.items")),
        Next="Last",
    ),
    Last=state("Pass"),
)


def test_threads_frames_and_steps(project: Project) -> None:
    program = written(project, BRANCHES)
    with over_stdio(project) as (editor, _):
        editor.launched(
            program, lines=[line_of(program, "Second")], input={"items": [1, {"a": [True]}]}, memory=True
        )
        thread = editor.until("stopped")["threadId"]
        names = [one["name"] for one in editor.ask("threads")["threads"]]
        assert names == ["iteration 0 of Each, branch 1 of Both", "iteration 1 of Each, branch 1 of Both"]
        frames = editor.stack(thread)
        assert [name.split("  ")[0] for name, _ in frames] == ["Second", "Each", "Both"]
        assert [line for _, line in frames] == [line_of(program, name) for name in ("Second", "Each", "Both")]
        outer = editor.variables(editor.scopes(thread, 1)["Input"])
        assert outer == {"items": '[1,{"a":[true]}]'}
        assert editor.variables(editor.scopes(thread)["Input"]) == {"(value)": "1"}
        second = editor.move("continue", thread)
        assert second["reason"] == "breakpoint"
        inner = editor.scopes(second["threadId"])["Input"]
        assert editor.variables(inner) == {"a": "[true]"}
        reference = editor.ask("variables", variablesReference=inner)["variables"][0]
        assert (reference["indexedVariables"], reference["type"]) == (1, "array")
        assert editor.variables(reference["variablesReference"]) == {"0": "true"}
        made = editor.ask(
            "setVariable", variablesReference=reference["variablesReference"], name="0", value='{"b": null}'
        )
        assert made["type"] == "object"
        after = editor.move("stepOut", second["threadId"])
        assert editor.stack(after["threadId"])[0][0].startswith("Each  branch 1")
        after = editor.move("stepOut", after["threadId"])
        assert editor.stack(after["threadId"])[0][0].startswith("Last")
        assert "null" in editor.variables(editor.scopes(after["threadId"])["Input"])["1"]


def test_errors(project: Project) -> None:
    flaky = machine(
        Flaky=task("flaky", Retry=[{"ErrorEquals": ["OutOfStockError"], "IntervalSeconds": 60}]), Fail=task("fail")
    )
    program = written(project, flaky)
    with over_stdio(project) as (editor, _):
        editor.launched(program, filters=["all"], input={}, memory=True)
        stopped = editor.until("stopped")
        assert (stopped["reason"], stopped["text"]) == ("exception", "OutOfStockError")
        thread = stopped["threadId"]
        info = editor.ask("exceptionInfo", threadId=thread)
        assert (info["exceptionId"], info["breakMode"]) == ("OutOfStockError", "always")
        assert "in flaky" in info["details"]["stackTrace"]
        assert "Error" in editor.scopes(thread)
        assert editor.ask("evaluate", expression="$states.errorOutput.Error")["result"] == '"OutOfStockError"'
        editor.ask(
            "setExceptionBreakpoints", filters=[], filterOptions=[{"filterId": "all", "condition": "Other, Mine"}]
        )
        told = editor.ask("evaluate", expression="mock Fail error Mine by hand", context="repl")
        assert told["result"] == "each call of Fail gives the error Mine: by hand"
        stopped = editor.move("continue", thread)
        assert stopped["text"] == "Mine"
        assert editor.ask("exceptionInfo", threadId=thread)["breakMode"] == "unhandled"
        editor.ask("continue", threadId=thread)
        assert editor.until("exited") == {"exitCode": 1}
        with pytest.raises(MessageHandlingError, match="no filter 'some'"):
            editor.ask("setExceptionBreakpoints", filters=["some"])


def test_a_past_execution_back_and_forth(project: Project) -> None:
    project.ran(ROW, "-i", '{"n": 1}', "--time", "skip")
    program = written(project, ROW)
    with over_stdio(project) as (editor, _):
        editor.ask("initialize", adapterID="asl")
        editor.ask("attach", execution="one")
        editor.until("initialized")
        assert "has changed since" in editor.output  # it is written in more lines
        source = editor.ask("setBreakpoints", source={"path": program}, breakpoints=[{"line": 3}])
        assert source["breakpoints"][0]["message"] == "what is debugged is the recorded definition"
        editor.ask("setBreakpoints", source={"sourceReference": 1}, breakpoints=[{"line": 1}])
        editor.ask("configurationDone")
        stopped = editor.until("stopped")
        assert (stopped["reason"], stopped["description"]) == ("exit", "the execution has ended: SUCCEEDED")
        thread = stopped["threadId"]
        frame = editor.ask("stackTrace", threadId=thread)["stackFrames"][0]
        text = editor.ask("source", sourceReference=frame["source"]["sourceReference"])["content"]
        assert json.loads(text) == ROW
        assert editor.variables(editor.scopes(thread)["Output"]) == {"n": "3"}
        back = editor.move("stepBack", thread)
        assert back["description"] == "at the end of the execution, after AddOne"
        first = editor.move("reverseContinue", back["threadId"])
        assert first["description"] == "before Double  (breakpoint 1)"
        with pytest.raises(MessageHandlingError, match="is a Wait state"):
            editor.ask("evaluate", expression="mock Wait 1", context="repl")
        scopes = editor.scopes(first["threadId"])
        editor.ask("setVariable", variablesReference=scopes["Input"], name="n", value="20")
        after = editor.move("next", first["threadId"])
        assert after["description"] == "before Wait"
        assert "goes on as one-fork-1" in editor.output
        editor.ask("continue", threadId=after["threadId"])
        editor.until("terminated")
        editor.ask("disconnect")
    assert project.asl("show", "one-fork-1", "--json").json["output"] == '{"n":41}'


def test_restart_pause_and_stop_on_entry_and_end(project: Project) -> None:
    program = written(project, machine(Count=task("count"), Done={"Type": "Pass"}))
    calls, gate = project.root / "calls", project.root / "gate"
    with over_stdio(project) as (editor, _):
        data = {"calls": str(calls), "gate": str(gate)}
        editor.launched(program, input=data, stopOnEntry=True, stopOnEnd=True, executionName="one")
        thread = editor.until("stopped")["threadId"]
        editor.ask("continue", threadId=thread)
        editor.ask("pause", threadId=thread)
        stopped = editor.until("stopped")
        assert stopped["reason"] == "pause"
        gate.touch()
        editor.ask("restart")
        stopped = editor.until("stopped")
        assert stopped["reason"] == "entry"
        assert editor.move("next", stopped["threadId"])["description"] == "before Done"
        end = editor.move("continue", stopped["threadId"])
        assert end["reason"] == "exit"
        assert editor.move("stepBack", end["threadId"])["description"].startswith("at the end of the execution")
        editor.ask("terminate")
        editor.until("terminated")
        editor.ask("disconnect")
    assert project.asl("show", "one", "--json").json["status"] == "ABORTED"


def test_a_breakpoint_at_the_first_state_stops_each_time(project: Project) -> None:
    program = written(project)
    with over_stdio(project) as (editor, _):
        (point,) = editor.launched(program, lines=[line_of(program, "Double")], input={"n": 1}, memory=True)
        for _ in range(2):
            stopped = editor.until("stopped")
            assert (stopped["reason"], stopped["hitBreakpointIds"]) == ("breakpoint", [point["id"]])
            editor.ask("restart")


def test_mocks_of_the_launch_configuration(project: Project) -> None:
    program = written(project)
    with over_stdio(project) as (editor, _):
        mocks = {"Double": {"n": 5}, "AddOne": {"Error": "Mine", "Cause": "by hand"}}
        editor.launched(program, input={"n": 1}, mocks=mocks, memory=True)
        stopped = editor.until("stopped")
        assert (stopped["reason"], stopped["text"]) == ("exception", "Mine")
        assert editor.variables(editor.scopes(stopped["threadId"])["Input"]) == {"n": "5"}


# -- what goes wrong ----------------------------------------------------------------------------------

REFUSED: dict[str, tuple[str, dict[str, Any], str]] = {
    "no program": ("launch", {}, '"program" is needed'),
    "no such program": ("launch", {"program": "nothing.json"}, "there is no file"),
    "input of two kinds": ("launch", {"program": "m.json", "input": 1, "inputFile": "x"}, "not both"),
    "an argument of another type": ("launch", {"program": 1}, '"program" has to be a text'),
    "mocks that are none": ("launch", {"program": "m.json", "mocks": []}, '"mocks" has to be an object'),
    "a mock for no state": ("launch", {"program": "PROGRAM", "mocks": {"Nobody": 1}}, "no state 'Nobody'"),
    "no execution": ("attach", {}, '"execution" is needed'),
    "no such execution": ("attach", {"execution": "one"}, "there is no execution 'one'"),
    "nothing debugged": ("next", {"threadId": 1}, "nothing is debugged"),
    "an unknown request": ("gotoTargets", {}, "the request 'gotoTargets' is not supported"),
    "lines from 0": ("initialize", {"linesStartAt1": False}, "counted from 1"),
}


def test_what_is_refused(project: Project) -> None:
    program = written(project)
    with over_stdio(project) as (editor, _):
        for name, (command, arguments, message) in REFUSED.items():
            given = {key: program if value == "PROGRAM" else value for key, value in arguments.items()}
            with pytest.raises(MessageHandlingError) as refused:
                editor.ask(command, **given)
            assert message in str(refused.value), name


def test_what_is_refused_while_it_stands(project: Project) -> None:
    program = written(project)
    with over_stdio(project) as (editor, _):
        editor.launched(program, input={"n": 1}, stopOnEntry=True, memory=True)
        thread = editor.until("stopped")["threadId"]
        scopes = editor.scopes(thread)
        cases: dict[str, tuple[str, dict[str, Any]]] = {
            "is not JSON": ("setVariable", {"variablesReference": scopes["Input"], "name": "n", "value": "abc"}),
            "no 'nope' to set": (
                "setVariable",
                {"variablesReference": scopes["Input"], "name": "nope", "value": "1"},
            ),
            "the context cannot be set": (
                "setVariable",
                {"variablesReference": scopes["Context"], "name": "State", "value": "1"},
            ),
            "there is no variable 99": ("variables", {"variablesReference": 99}),
            "there is no frame 99": ("scopes", {"frameId": 99}),
            "there is no thread 99": ("stackTrace", {"threadId": 99}),
            "stands at no error": ("exceptionInfo", {"threadId": thread}),
            "this is no expression": ("evaluate", {"expression": "$.["}),
            "has a button for that": ("evaluate", {"expression": "continue", "context": "repl"}),
            "debugged already": ("launch", {"program": program}),
            "there is no such source": ("source", {"sourceReference": 7}),
        }
        for message, (command, arguments) in cases.items():
            with pytest.raises(MessageHandlingError) as refused:
                editor.ask(command, **arguments)
            assert message in str(refused.value)
        # The beginning has nothing before it: it is told, and nothing moves.
        assert editor.move("stepBack", thread)["description"] == "before Double"
        assert "this is the beginning" in editor.output


def raw(project: Project, data: bytes) -> tuple[int, bytes, bytes]:
    """What a client gets that sends these bytes and no more."""
    import subprocess

    process = project.spawn("debug", "--dap", stdin=subprocess.PIPE, text=False)
    out, err = process.communicate(data, timeout=30)  # type: ignore[arg-type]  # it is no text
    return process.returncode, out, err  # type: ignore[return-value]  # as above


def test_a_client_that_sends_garbage(project: Project) -> None:
    assert raw(project, b"")[0] == 0
    code, _, err = raw(project, b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
    assert (code, b"a header has no Content-Length" in err) == (2, True)
    code, out, _ = raw(
        project, b"Content-Length: 3\r\n\r\n{]}Content-Length: 2\r\n\r\n[]Content-Length: 2\r\n\r\n{}"
    )
    assert code == 0
    assert b"a message is no JSON:" in out
    assert b"a message is no JSON object" in out
    assert b"this is no request" in out
    code, _, err = raw(project, b"Content-Length: 99\r\n\r\n{}")
    assert (code, b"ended after 2 of 99 bytes" in err) == (2, True)
    code, _, err = raw(project, b"Content-Length: 99999999\r\n\r\n{}")
    assert (code, b"is too long" in err) == (2, True)


def begin(editor: Editor, program: str) -> None:
    editor.launched(program, lines=[line_of(program, "AddOne")], input={"n": 1}, executionName="one")
    editor.until("stopped")


def test_a_client_that_vanishes_leaves_what_resume_can_take(project: Project) -> None:
    program = written(project)
    with over_stdio(project) as (editor, process):
        begin(editor, program)
        assert process.stdin is not None
        process.stdin.close()
        assert process.wait(30) == 0
    assert project.asl("resume", "one", "--quiet").out == '{"n":3}\n'


def test_a_killed_adapter_leaves_what_resume_can_take(project: Project) -> None:
    program = written(project)
    with over_port(project) as (editor, process):
        begin(editor, program)
        process.kill()
        process.wait(30)
    assert project.asl("resume", "one", "--quiet").out == '{"n":3}\n'


def test_a_disconnect_aborts_what_was_launched_unless_told_otherwise(project: Project) -> None:
    program = written(project)
    with over_stdio(project) as (editor, process):
        begin(editor, program)
        editor.ask("disconnect", terminateDebuggee=False)
        assert process.wait(30) == 0
    assert project.asl("show", "one", "--json").json["status"] == "RUNNING"
    with over_stdio(project) as (editor, process):
        editor.ask("initialize", adapterID="asl")
        editor.ask("attach", execution="one")
        editor.until("initialized")
        editor.ask("configurationDone")
        assert editor.until("stopped")["reason"] == "entry"
        editor.ask("disconnect", terminateDebuggee=True)
        assert process.wait(30) == 0
    assert project.asl("show", "one", "--json").json["status"] == "ABORTED"


def test_a_port_that_is_taken(project: Project) -> None:
    import socket

    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        result = project.asl("debug", "--dap-port", str(taken.getsockname()[1]))
    assert result.code == 2
    assert "asl: error: --dap-port " in result.err
    assert project.asl("debug", "--dap-port", "99999").code == 2
    assert project.asl("debug", "--dap", "--dap-port", "1").code == 2
    assert project.asl("debug", "m.json", "--dap").code == 2


def test_a_task_that_ends_itself_or_prints_bytes_does_not_disturb_the_protocol(project: Project) -> None:
    text = "import os, sys\ndef leave(event):\n    os.write(1, b'raw bytes')\n    print(input_or_none())\n"
    text += "    sys.exit(7)\ndef input_or_none():\n    return sys.stdin.read()\n"
    (project.root / "tasks" / "leaving.py").write_text(text, encoding="utf-8")
    program = written(project, machine(Leave=task("leave")))
    with over_stdio(project) as (editor, _):
        editor.launched(program, memory=True)
        stopped = editor.until("stopped")
        assert (stopped["reason"], stopped["text"]) == ("exception", "Runtime.ExitError")


def test_the_extension_names_what_there_is(project: Project) -> None:
    """The manifest for VS Code: its adapter is a command of ours, its attributes are those that are read."""
    del project
    manifest = json.loads((ROOT / "editors" / "vscode" / "package.json").read_text(encoding="utf-8"))
    (debugger,) = manifest["contributes"]["debuggers"]
    assert [debugger["runtime"], *debugger["runtimeArgs"]] == ["asl", "debug", "--dap"]
    read = "".join(
        (ROOT / "asl_engine" / path).read_text(encoding="utf-8")
        for path in ("cli/debug_adapter.py", "debugging/dap/adapter.py", "debugging/dap/launching.py")
    )
    page = (ROOT / "docs" / "debugging.md").read_text(encoding="utf-8")
    for request in debugger["configurationAttributes"].values():
        for name in request["properties"]:
            assert f'"{name}"' in read
            assert f"`{name}`" in page
