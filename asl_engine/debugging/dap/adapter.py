"""One debugging session of an editor: its requests one after the other, and the events that tell it what happens.

The execution goes on in the background, so that an editor can ask and pause meanwhile.
"""

from __future__ import annotations

import asyncio
import logging
from contextlib import AsyncExitStack, suppress
from typing import TYPE_CHECKING, Any, Final

from asl_engine.debugging.dap.arguments import Arguments
from asl_engine.debugging.dap.launching import given_answers
from asl_engine.debugging.dap.looking import SessionLooker
from asl_engine.debugging.dap.stops import EXCEPTION_FILTERS, SOURCE_REFERENCE, SourceOfSession
from asl_engine.debugging.session import Session
from asl_engine.debugging.source_lines import SourceLines, changed_since, source_of
from asl_engine.debugging.telling import stop_text
from asl_engine.debugging.terminal.commands import COMMANDS, find_command
from asl_engine.debugging.terminal.terminal import Terminal
from asl_engine.errors import AslError, InvalidInput
from asl_engine.json_text import dumps

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Coroutine

    from asl_engine.debugging.dap.launching import Debuggee, Launcher
    from asl_engine.debugging.gate import Motion, Stop
    from asl_engine.json_values import Json

__all__ = ["Adapter"]

log = logging.getLogger("asl_engine.debugging")

CAPABILITIES: Final = {
    "supportsConfigurationDoneRequest": True,
    "supportsConditionalBreakpoints": True,
    "supportsHitConditionalBreakpoints": True,
    "supportsLogPoints": True,
    "supportsEvaluateForHovers": True,
    "supportsStepBack": True,
    "supportsSetVariable": True,
    "supportsRestartRequest": True,
    "supportsExceptionInfoRequest": True,
    "supportsExceptionFilterOptions": True,
    "supportsTerminateRequest": True,
    "supportTerminateDebuggee": True,
    "supportsBreakpointLocationsRequest": True,
    "exceptionBreakpointFilters": EXCEPTION_FILTERS,
}
REASONS: Final = {"error": "exception", "waiting": "pause", "ended": "exit", "fork": "goto"}
# Commands that may be typed into the editor's console; it has buttons for the others.
IN_CONSOLE: Final = frozenset(
    {"mock", "unmock", "answer", "path", "fork", "state", "set", "errors", "where", "now", "goto", "help"}
)
MOVING: Final = frozenset({"fork", "now", "goto", "set"})


class Adapter:
    """``send`` writes a message to the editor, ``launcher`` makes what it asks for."""

    def __init__(self, send: Callable[[dict[str, Any]], None], launcher: Launcher) -> None:
        self._send = send
        self._launcher = launcher
        self._seq = 0
        self._stack = AsyncExitStack()
        self._session: Session | None = None
        self._looking: SessionLooker | None = None
        self._debuggee: Debuggee | None = None
        self._options = Arguments(None)
        self._going: asyncio.Task[None] | None = None
        self._attached = False
        self._terminated = False
        self.over = False

    # -- messages -------------------------------------------------------------------------------------------

    async def take(self, message: dict[str, Any]) -> None:
        """Answer a request, whatever it is."""
        command = message.get("command")
        if message.get("type") != "request" or not isinstance(command, str):
            self.output(f"this is no request: {str(message)[:200]}\n", "stderr")
            return
        answer = {"type": "response", "request_seq": message.get("seq", 0), "command": command}
        handler = HANDLERS.get(command)
        try:
            if handler is None:
                raise InvalidInput(f"the request {command!r} is not supported")
            answered = await handler(self, Arguments(message.get("arguments")))
        except AslError as error:
            self._emit({**answer, "success": False, "message": str(error), "body": _message(str(error))})
            return
        except Exception as error:
            log.exception("a defect of asl-engine in the request %s", command)
            text = f"a defect of asl-engine: {type(error).__name__}: {error}"
            self._emit({**answer, "success": False, "message": text, "body": _message(text)})
            return
        body = answered.body if isinstance(answered, _Then) else answered
        self._emit({**answer, "success": True, **({} if body is None else {"body": body})})
        if isinstance(answered, _Then):
            await answered.then()

    def _emit(self, message: dict[str, Any]) -> None:
        self._seq += 1
        self._send({"seq": self._seq, **message})

    def _event(self, name: str, **body: Any) -> None:
        self._emit({"type": "event", "event": name, "body": body})

    def output(self, text: str, category: str = "console") -> None:
        """Show a text in the editor's console."""
        self._event("output", category=category, output=text)

    async def vanish(self) -> None:
        """The editor is gone: leave the execution as it is."""
        await self._stop_going()
        if self._session is not None:
            await self._session.leave()
            self._session = None
        await self._stack.aclose()

    # -- beginning ------------------------------------------------------------------------------------------

    async def initialize(self, arguments: Arguments) -> dict[str, Any]:
        if not arguments.flag("linesStartAt1", default=True):
            raise InvalidInput("lines have to be counted from 1 (linesStartAt1)")
        return dict(CAPABILITIES)

    async def launch(self, arguments: Arguments) -> _Then:
        return await self._open(arguments, self._launcher.launch)

    async def attach(self, arguments: Arguments) -> _Then:
        self._attached = True
        return await self._open(arguments, self._launcher.attach)

    async def _open(
        self, arguments: Arguments, opened: Callable[[Arguments, AsyncExitStack], Awaitable[Debuggee]]
    ) -> _Then:
        if self._session is not None:
            raise InvalidInput("something is debugged already")
        answers = given_answers(arguments)
        arguments.flag("stopOnEntry")
        arguments.flag("stopOnEnd")
        debuggee = await opened(arguments, self._stack)
        session = Session(debuggee.store, debuggee.setup, lambda text: self.output(f"{text}\n"))
        for state, given in answers.items():
            await session.answer(state, given)
        source = source_of(debuggee.setup)
        path = debuggee.setup.how.definition
        changed = changed_since(debuggee.setup)
        own = SourceOfSession(session, SourceLines(source), None if changed or not path.name else path)
        self._options, self._debuggee, self._session = arguments, debuggee, session
        self._looking = SessionLooker(session, own)

        async def then() -> None:
            if changed:
                self.output(f"{changed}\n", "important")
            self._event("initialized")

        return _Then(None, then)

    async def configuration_done(self, arguments: Arguments) -> _Then:
        del arguments
        session, debuggee = self.session, self._debuggee

        async def begin() -> Stop:
            assert debuggee is not None  # noqa: S101  there is a session
            if debuggee.record is not None:
                return await session.attach(debuggee.record)
            assert debuggee.fresh is not None  # noqa: S101  one of them
            return await session.start(debuggee.fresh, stop_on_entry=self._options.flag("stopOnEntry"))

        return _Then(None, lambda: self._go(begin(), stop_on_end=self._attached))

    @property
    def session(self) -> Session:
        """Raises ``InvalidInput`` where nothing is debugged."""
        if self._session is None:
            raise InvalidInput("nothing is debugged: launch or attach first")
        return self._session

    @property
    def looking(self) -> SessionLooker:
        if self._looking is None:
            raise InvalidInput("nothing is debugged: launch or attach first")
        return self._looking

    # -- going on -------------------------------------------------------------------------------------------

    async def _go(self, motion: Coroutine[Any, Any, Stop], *, stop_on_end: bool = False) -> None:
        """Let the execution go on in the background, and tell where it stops."""
        await self._stop_going()
        self.looking.handles.forget()

        session = self.session

        async def going() -> None:
            name = session.name
            try:
                stop = await motion
                if name is not None and session.name != name:
                    self.output(f"goes on as {session.name}\n")
                await self._tell(stop, stop_on_end=stop_on_end)
            except AslError as error:
                self.output(f"{error}\n", "stderr")
                if session.is_held:
                    await self._tell(session.stop, stop_on_end=True)
                else:
                    self._terminate(2)
            except Exception as error:
                log.exception("a defect of asl-engine while the execution went on")
                self.output(f"a defect of asl-engine: {type(error).__name__}: {error}\n", "stderr")
                self._terminate(70)

        self._going = asyncio.ensure_future(going())

    async def _stop_going(self) -> None:
        going, self._going = self._going, None
        if going is not None and not going.done():
            going.cancel()
            with suppress(asyncio.CancelledError):
                await going

    async def _tell(self, stop: Stop, *, stop_on_end: bool) -> None:
        session = self.session
        view = await session.view()
        text = stop_text(stop, view, session.awaited())
        if stop.reason == "ended" and not (stop_on_end or self._options.flag("stopOnEnd")):
            self._tell_end(text, view.data.value if view.data is not None else None)
            self._terminate(0 if view.execution.status == "SUCCEEDED" else 1)
            return
        failure = view.place.failure
        self._event(
            "stopped",
            reason=REASONS.get(stop.reason, stop.reason),
            description=text,
            threadId=self.looking.handles.of_thread(await self.looking.here()),
            allThreadsStopped=True,
            hitBreakpointIds=[one.number for one in stop.breakpoints],
            **({"text": failure.error or ""} if stop.reason == "error" and failure is not None else {}),
        )
        if stop.reason in {"waiting", "ended"}:
            self.output(f"{text}\n")

    def _tell_end(self, text: str, output: Json) -> None:
        self.output(f"{text}\n")
        if output is not None:
            self.output(f"{dumps(output)}\n", "stdout")

    def _terminate(self, code: int) -> None:
        if not self._terminated:
            self._terminated = True
            self._event("exited", exitCode=code)
            self._event("terminated")

    async def _move(self, arguments: Arguments, motion: Motion) -> _Then:
        session = self.session
        if self._going is not None and not self._going.done():
            raise InvalidInput("the execution goes on: pause it first")
        thread = arguments.all.get("threadId")
        if isinstance(thread, int):
            wanted = self.looking.handles.thread(thread)
            if wanted != await self.looking.here():
                await session.focus(wanted)
        if not session.in_the_past and (await session.status()) != "RUNNING":

            async def end() -> None:
                self._terminate(0 if (await session.status()) == "SUCCEEDED" else 1)

            return _Then({"allThreadsContinued": True}, end)
        return _Then({"allThreadsContinued": True}, lambda: self._go(session.go(motion)))

    async def continue_(self, arguments: Arguments) -> _Then:
        return await self._move(arguments, "continue")

    async def next(self, arguments: Arguments) -> _Then:
        return await self._move(arguments, "over")

    async def step_in(self, arguments: Arguments) -> _Then:
        return await self._move(arguments, "into")

    async def step_out(self, arguments: Arguments) -> _Then:
        return await self._move(arguments, "out")

    async def step_back(self, arguments: Arguments) -> _Then:
        return self._back(arguments, lambda session: session.back())

    async def reverse_continue(self, arguments: Arguments) -> _Then:
        return self._back(arguments, lambda session: session.back_to_breakpoint())

    def _back(self, arguments: Arguments, motion: Callable[[Session], Coroutine[Any, Any, Stop]]) -> _Then:
        del arguments
        if self._going is not None and not self._going.done():
            raise InvalidInput("the execution goes on: pause it first")
        session = self.session
        return _Then(None, lambda: self._go(motion(session), stop_on_end=True))

    async def pause(self, arguments: Arguments) -> None:
        del arguments
        self.session.pause()

    async def restart(self, arguments: Arguments) -> _Then:
        del arguments
        await self._stop_going()
        session = self.session
        stop_on_entry = self._options.flag("stopOnEntry")
        return _Then(None, lambda: self._go(session.restart(stop_on_entry=stop_on_entry)))

    async def terminate(self, arguments: Arguments) -> _Then:
        del arguments
        await self._stop_going()
        if self._session is not None and not self._attached:
            await self._session.abort()

        async def then() -> None:
            self._terminate(4)

        return _Then(None, then)

    async def disconnect(self, arguments: Arguments) -> None:
        await self._stop_going()
        given = arguments.all.get("terminateDebuggee")
        if self._session is not None and (not self._attached if given is None else given is True):
            await self._session.abort()
        await self.vanish()
        self.over = True

    # -- where to stop, what there is to see ------------------------------------------------------------------

    async def set_breakpoints(self, arguments: Arguments) -> dict[str, Any]:
        return {"breakpoints": self.looking.source.set_breakpoints(arguments)}

    async def set_exception_breakpoints(self, arguments: Arguments) -> dict[str, Any]:
        return {"breakpoints": self.looking.source.set_errors(arguments)}

    async def breakpoint_locations(self, arguments: Arguments) -> dict[str, Any]:
        return {"breakpoints": self.looking.source.locations(arguments)}

    async def threads(self, arguments: Arguments) -> dict[str, Any]:
        del arguments
        begun = self._session is not None and self._session.name is not None
        return {"threads": await self.looking.threads() if begun else []}

    async def stack_trace(self, arguments: Arguments) -> dict[str, Any]:
        frames = await self.looking.stack(arguments)
        start, levels = arguments.all.get("startFrame"), arguments.all.get("levels")
        first = start if isinstance(start, int) else 0
        last = first + levels if isinstance(levels, int) and levels else len(frames)
        return {"stackFrames": frames[first:last], "totalFrames": len(frames)}

    async def scopes(self, arguments: Arguments) -> dict[str, Any]:
        return {"scopes": await self.looking.scopes(arguments)}

    async def variables(self, arguments: Arguments) -> dict[str, Any]:
        return {"variables": self.looking.variables(arguments)}

    async def set_variable(self, arguments: Arguments) -> dict[str, Any]:
        return await self.looking.set_variable(arguments)

    async def exception_info(self, arguments: Arguments) -> dict[str, Any]:
        return await self.looking.error(arguments)

    async def source(self, arguments: Arguments) -> dict[str, Any]:
        if arguments.all.get("sourceReference") != SOURCE_REFERENCE:
            raise InvalidInput("there is no such source")
        return {"content": self.looking.source.lines.text, "mimeType": "application/json"}

    async def evaluate(self, arguments: Arguments) -> dict[str, Any] | _Then:
        word = arguments.text("expression").strip().partition(" ")[0]
        if arguments.text("context") == "repl" and any(word in one.names for one in COMMANDS):
            return await self._command(arguments.text("expression"))
        return await self.looking.evaluate(arguments)

    async def _command(self, line: str) -> _Then:
        """A command of the terminal, typed into the editor's console."""
        name = find_command(line.strip().partition(" ")[0]).names[0]
        if name not in IN_CONSOLE:
            raise InvalidInput(
                f"{name}: the editor has a button for that; there are {', '.join(sorted(IN_CONSOLE))}"
            )
        told: list[str] = []
        await Terminal(self.session, told.append, lambda value: told.append(dumps(value))).do(line)

        async def then() -> None:
            if name in MOVING:
                self.looking.handles.forget()
                await self._tell(self.session.stop._replace(reason="goto"), stop_on_end=True)

        return _Then({"result": "\n".join(told), "variablesReference": 0}, then)


class _Then:
    """The body of a response, and what follows it."""

    def __init__(self, body: dict[str, Any] | None, then: Callable[[], Awaitable[None]]) -> None:
        self.body = body
        self.then = then


def _message(text: str) -> dict[str, Any]:
    return {"error": {"id": 1, "format": text.replace("{", "(").replace("}", ")"), "showUser": True}}


HANDLERS: Final[dict[str, Callable[[Adapter, Arguments], Awaitable[Any]]]] = {
    "initialize": Adapter.initialize,
    "launch": Adapter.launch,
    "attach": Adapter.attach,
    "configurationDone": Adapter.configuration_done,
    "setBreakpoints": Adapter.set_breakpoints,
    "setExceptionBreakpoints": Adapter.set_exception_breakpoints,
    "breakpointLocations": Adapter.breakpoint_locations,
    "threads": Adapter.threads,
    "stackTrace": Adapter.stack_trace,
    "scopes": Adapter.scopes,
    "variables": Adapter.variables,
    "setVariable": Adapter.set_variable,
    "evaluate": Adapter.evaluate,
    "exceptionInfo": Adapter.exception_info,
    "source": Adapter.source,
    "continue": Adapter.continue_,
    "next": Adapter.next,
    "stepIn": Adapter.step_in,
    "stepOut": Adapter.step_out,
    "stepBack": Adapter.step_back,
    "reverseContinue": Adapter.reverse_continue,
    "pause": Adapter.pause,
    "restart": Adapter.restart,
    "terminate": Adapter.terminate,
    "disconnect": Adapter.disconnect,
}
