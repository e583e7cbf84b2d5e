"""What an editor shows of a session that stands still: threads, frames, scopes, variables, expressions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from asl_engine.debugging.dap.handles import Container, Handles, changed, shown_value
from asl_engine.debugging.places import Thread, chain
from asl_engine.debugging.telling import failure_text, place_text, thread_title
from asl_engine.errors import InvalidInput
from asl_engine.json_text import JsonSyntaxError, loads
from asl_engine.projections.causes import lambda_report

if TYPE_CHECKING:
    from asl_engine.debugging.dap.arguments import Arguments
    from asl_engine.debugging.dap.stops import SourceOfSession
    from asl_engine.debugging.places import View
    from asl_engine.debugging.session import Session
    from asl_engine.json_values import Json

__all__ = ["SessionLooker"]

EDITED = {"input", "variables"}


class SessionLooker:
    """Answers what is asked about a session.  Every method raises ``AslError``."""

    def __init__(self, session: Session, source: SourceOfSession) -> None:
        self.session = session
        self.source = source
        self.handles = Handles()

    async def here(self) -> Thread:
        """The thread that the session stands at."""
        return Thread.of((await self.session.view()).place)

    async def threads(self) -> list[dict[str, Any]]:
        found = await self.session.threads() or [await self.here()]
        named = []
        for thread in found:
            view = await self.session.view(thread)
            who = view.execution.identity
            name = who.name if who.map_run is None else f"{who.map_run} {who.name[:8]}"
            named.append({"id": self.handles.of_thread(thread), "name": thread_title(view.frame, name)})
        return named

    async def stack(self, arguments: Arguments) -> list[dict[str, Any]]:
        """The frames of a thread, the innermost first: a state, and the Maps and Parallels around it."""
        thread = self.handles.thread(arguments.all.get("threadId"))
        view = await self.session.view(thread)
        who = view.execution.identity
        if view.frame is None:
            return [self._frame(thread, place_text(view), 1)]
        frames = []
        for frame in chain(view.frame):
            state = view.state if frame is view.frame else frame.state
            title = thread_title(frame, f"{who.machine_name} {who.name}")
            own = Thread(thread.execution, frame.id)
            frames.append(self._frame(own, f"{state}  {title}", self.source.lines.line_of(state)))
        return frames

    def _frame(self, thread: Thread, name: str, line: int) -> dict[str, Any]:
        number = self.handles.of_frame(thread)
        return {"id": number, "name": name, "line": line, "column": 1, "source": self.source.source}

    async def scopes(self, arguments: Arguments) -> list[dict[str, Any]]:
        thread = self.handles.frame(arguments.all.get("frameId"))
        view = await self.session.view(thread)
        shown: list[tuple[str, str, Json]] = []
        if view.place.failure is not None and view.place.kind == "error":
            error, cause = view.place.failure
            shown.append(("Error", "error", {"Error": error, "Cause": cause}))
        if view.data is not None:
            called = "Output" if view.place.kind in {"end", "ended"} else "Input"
            shown.append((called, "input", view.data.value))
        shown.append(("Variables", "variables", view.variables))
        context = await self.session.context(thread)
        if context:
            shown.append(("Context", "context", context))
        return [
            {
                "name": name,
                "variablesReference": self.handles.of_scope(Container(thread, scope, (), value)),
                "expensive": scope == "context",
            }
            for name, scope, value in shown
        ]

    def variables(self, arguments: Arguments) -> list[dict[str, Any]]:
        found = self.handles.members(self.handles.value(arguments.all.get("variablesReference")))
        start, count = arguments.all.get("start"), arguments.all.get("count")
        first = start if isinstance(start, int) else 0
        return found[first : first + count] if isinstance(count, int) and count else found[first:]

    async def set_variable(self, arguments: Arguments) -> dict[str, Any]:
        container = self.handles.value(arguments.all.get("variablesReference"))
        name, value = arguments.text("name"), _json(arguments.text("value"))
        if container.scope not in EDITED:
            raise InvalidInput(f"the {container.scope} cannot be set: the input, the output and variables can")
        step: tuple[str | int, ...] = (name,)
        if isinstance(container.value, list):
            step = (int(name),) if name.isdecimal() else step
        elif not isinstance(container.value, dict):  # the scope has one value, under a name of ours
            step = ()
        view = await self.session.view(container.thread)
        if container.thread != await self.here():
            await self.session.focus(container.thread)
        path = (*container.path, *step)
        if container.scope == "variables":
            whole = changed(view.variables, path, value)
            await self.session.set_variables(whole if isinstance(whole, dict) else {})
        else:
            await self.session.set_input(changed(_data(view), path, value))
        made = container._replace(path=path, value=value)
        return {**self.handles.variable(name, made), "name": name}

    async def evaluate(self, arguments: Arguments) -> dict[str, Any]:
        thread = None
        if arguments.all.get("frameId"):
            thread = self.handles.frame(arguments.all.get("frameId"))
        text = arguments.text("expression")
        value = await self.session.evaluate(text, thread)
        held = Container(thread or await self.here(), "value", (), value)
        return {
            "result": shown_value(value),
            "variablesReference": self.handles.of_value(held),
            "type": self.handles.variable("", held)["type"],
        }

    async def error(self, arguments: Arguments) -> dict[str, Any]:
        """Of the error at which a thread stands."""
        thread = self.handles.thread(arguments.all.get("threadId"))
        view = await self.session.view(thread)
        failure = view.place.failure
        if failure is None:
            raise InvalidInput("this thread stands at no error")
        report = lambda_report(failure.cause) or {}
        trace = report.get("stackTrace")
        mode = "always" if self.session.stop.caught else "unhandled"
        details = {"message": failure.cause or "", "typeName": failure.error or ""}
        if isinstance(trace, list):
            details["stackTrace"] = "".join(str(line) for line in trace)
        return {
            "exceptionId": failure.error or "an error without a name",
            "description": failure_text(failure),
            "breakMode": mode,
            "details": details,
        }


def _data(view: View) -> Json:
    return None if view.data is None else view.data.value


def _json(text: str) -> Json:
    try:
        return loads(text)
    except JsonSyntaxError as error:
        raise InvalidInput(f"{text} is not JSON: {error}; a text is written in double quotes") from None
