"""The terminal's commands at work: each takes the rest of its line, and writes what there is to see."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from asl_engine.debugging.given import GivenAnswer
from asl_engine.debugging.places import chain
from asl_engine.debugging.telling import place_text, stop_text, thread_title
from asl_engine.debugging.terminal.commands import COMMANDS, TerminalCommand, find_command, help_text
from asl_engine.errors import InvalidInput
from asl_engine.expressions.errors import ExpressionSyntaxError, ResultPathError
from asl_engine.expressions.jsonpath.path import compile_reference_path
from asl_engine.graph.text import visible
from asl_engine.json_text import JsonSyntaxError, dumps, loads
from asl_engine.payload import Payload

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from asl_engine.debugging.gate import Motion, Stop
    from asl_engine.debugging.places import View
    from asl_engine.debugging.session import Session
    from asl_engine.json_values import Json

__all__ = ["Terminal"]

MAX_SHOWN = 300  # characters of data that is shown by the way
MAX_LINE = 110  # of a list
MAX_PLACES = 40  # on each side of where one stands


class Terminal:
    """A session, and what everything is written with.  ``over``: somebody wants to leave."""

    def __init__(
        self, session: Session, write: Callable[[str], None], write_value: Callable[[Json], None]
    ) -> None:
        self.session = session
        self.write = write
        self.write_value = write_value
        self.over = False
        self.aborted = False

    async def do(self, line: str) -> None:
        """Carry out a line.  Raises ``AslError``."""
        word, _, rest = line.strip().partition(" ")
        if word and not word.startswith("#"):
            await find_command(word).act(self, rest.strip())

    async def show(self, stop: Stop) -> None:
        """Why and where the session stands, and the data there."""
        view = await self.session.view()
        self.write(f"{stop_text(stop, view, self.session.awaited())}{await self._where_in_time()}")
        data = view.data
        if data is not None:
            called = "output" if view.place.kind in {"end", "ended"} else "input"
            text = visible(dumps(data.value))
            self.write(f"  {called}: {_short(text, MAX_SHOWN)}")

    async def _where_in_time(self) -> str:
        if not self.session.in_the_past:
            return ""
        found, index = await self.session.places()
        return f"  [place {index + 1} of {len(found)}{', edited' if self.session.is_edited else ''}]"


def _short(text: str, length: int) -> str:
    return text if len(text) <= length else f"{text[:length]}…"


def command(*names: str, usage: str = "", help: str) -> Callable[..., Any]:  # noqa: A002  what it is
    def kept(act: Callable[[Terminal, str], Awaitable[None]]) -> Callable[[Terminal, str], Awaitable[None]]:
        COMMANDS.append(TerminalCommand(names, usage, help, act))
        return act

    return kept


# -- going on -----------------------------------------------------------------------------------------


async def _go(terminal: Terminal, motion: Motion) -> None:
    session = terminal.session
    forks = session.in_the_past and session.is_edited
    stop = await session.go(motion)
    if forks:
        _tell_fork(terminal)
    await terminal.show(stop)


def _tell_fork(terminal: Terminal) -> None:
    terminal.write(f"goes on as the fork {terminal.session.identity.name}")


@command("continue", "c", help="go on to the next breakpoint, error or end; in the past, along the log")
async def continue_(terminal: Terminal, rest: str) -> None:
    _none(rest, "continue")
    await _go(terminal, "continue")


@command("step", "s", help="go on to the next state, into a Map or a Parallel too")
async def step(terminal: Terminal, rest: str) -> None:
    _none(rest, "step")
    await _go(terminal, "into")


@command("next", "n", help="go on to the next state of this path, over a Map or a Parallel")
async def next_(terminal: Terminal, rest: str) -> None:
    _none(rest, "next")
    await _go(terminal, "over")


@command("out", "o", help="go on until this branch or iteration is over")
async def out_(terminal: Terminal, rest: str) -> None:
    _none(rest, "out")
    await _go(terminal, "out")


@command("back", "b", help="go back to the place before")
async def back(terminal: Terminal, rest: str) -> None:
    _none(rest, "back")
    await terminal.show(await terminal.session.back())


@command("rcontinue", "rc", help="go back to the last breakpoint or error, or to the beginning")
async def rcontinue(terminal: Terminal, rest: str) -> None:
    _none(rest, "rcontinue")
    await terminal.show(await terminal.session.back_to_breakpoint())


@command("goto", usage="N", help="go to a place of the log, by its number in `path`")
async def goto(terminal: Terminal, rest: str) -> None:
    if not rest.isdecimal():
        raise InvalidInput("goto N: N is the number of a place, as `path` shows it")
    await terminal.show(await terminal.session.go_to(int(rest)))


@command("now", help="come back from the past to where the execution stands")
async def now(terminal: Terminal, rest: str) -> None:
    _none(rest, "now")
    await terminal.show(await terminal.session.now())


@command("fork", help="go on from here as a new execution, which shares the history up to here")
async def fork(terminal: Terminal, rest: str) -> None:
    _none(rest, "fork")
    await terminal.session.fork()
    _tell_fork(terminal)
    await terminal.show(terminal.session.stop)


@command("restart", help="abort the execution, and begin another one with the same input")
async def restart(terminal: Terminal, rest: str) -> None:
    _none(rest, "restart")
    stop = await terminal.session.restart()
    terminal.write(f"begins anew as {terminal.session.identity.name}")
    await terminal.show(stop)


# -- where to stop ------------------------------------------------------------------------------------


@command(
    "break",
    usage="[STATE [after] [if CONDITION] [hits N] [log TEXT]]",
    help="stop before (or after) a state, or write a text; alone: list breakpoints",
)
async def break_(terminal: Terminal, rest: str) -> None:
    points = terminal.session.breakpoints
    if not rest:
        told = [str(one) for one in points.all.values()] or ["no breakpoints"]
        terminal.write("\n".join([*told, f"errors: {terminal.session.errors}"]))
        return
    state, rest = _state_in(terminal, rest)
    after = rest.split(" ", 1)[0] == "after"
    rest = rest.removeprefix("after").strip() if after else rest
    rest, message = _cut(rest, "log")
    rest, hits = _cut(rest, "hits")
    rest, condition = _cut(rest, "if")
    if rest:
        raise InvalidInput(f"break {state}: {rest!r} is neither after, if CONDITION, hits N nor log TEXT")
    terminal.write(str(points.add(state, after=after, condition=condition, hits=hits, message=message)))


def _cut(rest: str, word: str) -> tuple[str, str]:
    """What stands before and behind a word."""
    before, found, behind = f" {rest} ".partition(f" {word} ")
    if found and not behind.strip():
        raise InvalidInput(f"something has to follow {word!r}")
    return before.strip(), behind.strip()


@command("delete", usage="N|all", help="delete a breakpoint, or all of them")
async def delete(terminal: Terminal, rest: str) -> None:
    points = terminal.session.breakpoints
    if rest == "all":
        points.all.clear()
    elif rest.isdecimal():
        points.remove(int(rest))
    else:
        raise InvalidInput("delete N: N is the number of a breakpoint, as `break` lists them; or all")


@command("errors", usage="all|uncaught|none|NAME ...", help="stop at errors, before a Retry or a Catch sees them")
async def errors(terminal: Terminal, rest: str) -> None:
    words, stops = rest.split(), terminal.session.errors
    if words:
        stops.all, stops.uncaught = "all" in words, "uncaught" in words
        stops.names = tuple(word for word in words if word not in {"all", "uncaught", "none"})
    terminal.write(f"stops at {stops}")


# -- what there is to see -----------------------------------------------------------------------------


@command("where", "w", help="where the execution stands, and what is around that")
async def where(terminal: Terminal, rest: str) -> None:
    _none(rest, "where")
    session = terminal.session
    await terminal.show(session.stop)
    view = await session.view()
    for frame in [*chain(view.frame)][1:]:
        terminal.write(f"  within {frame.state}  ({thread_title(frame, view.execution.identity.name)})")


@command("threads", usage="[N]", help="the branches and iterations under way; with N, look at one of them")
async def threads(terminal: Terminal, rest: str) -> None:
    session = terminal.session
    found = await session.threads()
    if rest:
        if not rest.isdecimal() or not 1 <= int(rest) <= len(found):
            raise InvalidInput(f"there are threads 1 to {len(found)}")
        await session.focus(found[int(rest) - 1])
        await terminal.show(session.stop)
        return
    view = await session.view()
    for number, thread in enumerate(found, 1):
        one = await session.view(thread)
        mark = "*" if thread == (view.place.execution, view.place.frame) else " "
        terminal.write(f"{mark} {number}  {place_text(one)}")


@command("show", usage="[input|output|variables|context]", help="the data, as JSON")
async def show(terminal: Terminal, rest: str) -> None:
    view = await terminal.session.view()
    if rest in {"", "input", "output"}:
        terminal.write_value(_data(view))
    elif rest in {"variables", "vars"}:
        terminal.write_value(view.variables)
    elif rest == "context":
        terminal.write_value(await terminal.session.context())
    else:
        raise InvalidInput(f"show {rest}: there are input, output, variables and context")


def _data(view: View) -> Json:
    if view.data is None:
        raise InvalidInput("there is no data: the execution has ended without an output")
    return view.data.value


@command("print", "p", usage="EXPRESSION", help="the value of a JSONPath or JSONata expression")
async def print_(terminal: Terminal, rest: str) -> None:
    terminal.write_value(await terminal.session.evaluate(rest))


@command("path", help="the places that the execution went through, with their numbers")
async def path(terminal: Terminal, rest: str) -> None:
    _none(rest, "path")
    session = terminal.session
    found, index = await session.places()
    begin, end = max(0, index - MAX_PLACES), min(len(found), index + MAX_PLACES)
    if begin:
        terminal.write(f"  … {begin} before")
    for number in range(begin, end):
        mark = "*" if number == index else " "
        text = place_text(await session.view_at(found[number]))
        terminal.write(f"{mark} {number + 1:>{len(str(end))}}  {_short(text, MAX_LINE)}")
    if end < len(found):
        terminal.write(f"  … {len(found) - end} behind")
    if index == len(found):
        terminal.write(f"* now  {place_text(await session.view())}")


@command("state", usage="[NAME]", help="a state's definition")
async def state(terminal: Terminal, rest: str) -> None:
    session = terminal.session
    name = rest or (await session.view()).state
    session.breakpoints.checked(name)
    terminal.write_value(session.definition_of(name))


# -- other data, other answers ------------------------------------------------------------------------


@command(
    "set",
    usage="input|output JSON, set $.PATH JSON, set var NAME JSON",
    help="edit the data or a variable; in the past, what follows is a fork",
)
async def set_(terminal: Terminal, rest: str) -> None:
    word, _, given = rest.partition(" ")
    session = terminal.session
    if word in {"input", "output"}:
        await session.set_input(_json(given, f"set {word}"))
    elif word in {"var", "variable"}:
        name, _, text = given.strip().partition(" ")
        from asl_engine.states.compiling import variable_fault

        fault = variable_fault(name, session.setup.how.limits.name_length)
        if fault is not None:
            raise InvalidInput(f"set var: {fault}")
        await session.set_variables({name: _json(text, f"set var {name}")})
    elif word.startswith("$"):
        await session.set_input(_put(await session.view(), word, _json(given, f"set {word}")))
    else:
        raise InvalidInput("set input JSON, set output JSON, set $.PATH JSON or set var NAME JSON")
    await terminal.show(session.stop._replace(reason="goto"))


def _put(view: View, place: str, value: Json) -> Json:
    try:
        return compile_reference_path(place).put(_data(view), value)
    except ExpressionSyntaxError as error:
        raise InvalidInput(f"{place} is no path: {error}") from None
    except ResultPathError as error:
        raise InvalidInput(f"{place}: {error.detail}") from None


def _json(text: str, what: str) -> Json:
    if not text.strip():
        raise InvalidInput(f"{what}: a value is needed, in JSON")
    try:
        return loads(text)
    except JsonSyntaxError as error:
        raise InvalidInput(f"{what}: {text.strip()} is not JSON: {error}") from None


@command(
    "answer",
    usage="STATE JSON | STATE error NAME [CAUSE]",
    help="answer a task that waits, or else its next call",
)
async def answer(terminal: Terminal, rest: str) -> None:
    state, given = _answered(terminal, "answer", rest)
    waited = await terminal.session.answer(state, given)
    terminal.write(f"{state} was answered" if waited else f"the next call of {state} gives {given.told}")


@command(
    "mock",
    usage="[STATE JSON | STATE error NAME [CAUSE]]",
    help="answer each call of a task from now on; alone: list the answers",
)
async def mock(terminal: Terminal, rest: str) -> None:
    if not rest:
        given = terminal.session.answers.items()
        terminal.write("\n".join(f"{state}  {one}" for state, one in given) or "no answers")
        return
    state, one = _answered(terminal, "mock", rest)
    await terminal.session.answer(state, one)
    terminal.write(f"each call of {state} gives {one.told}")


@command("unmock", usage="STATE", help="take an answer back")
async def unmock(terminal: Terminal, rest: str) -> None:
    if terminal.session.answers.pop(rest, None) is None:
        there = ", ".join(terminal.session.answers) or "none"
        raise InvalidInput(f"no answer was given for {rest!r}; there are {there}")


def _answered(terminal: Terminal, name: str, rest: str) -> tuple[str, GivenAnswer]:
    usage = f"usage: {name} STATE JSON | {name} STATE error NAME [CAUSE]"
    if not rest:
        raise InvalidInput(usage)
    state, text = _state_in(terminal, rest)
    try:
        return state, _given(state, text, once=name == "answer")
    except InvalidInput as error:
        raise InvalidInput(f"{error}\n{usage}") from None


def _given(state: str, text: str, *, once: bool) -> GivenAnswer:
    """The answer that was typed.  Raises ``InvalidInput``."""
    word, _, told = text.partition(" ")
    if word != "error":
        return GivenAnswer(Payload.of_text(dumps(_json(text, state))), once=once)
    name, _, cause = told.strip().partition(" ")
    if not name:
        raise InvalidInput(f"{state} error NAME [CAUSE]: the error has a name")
    return GivenAnswer(None, name, _unquoted(cause.strip()) or None, once)


def _unquoted(text: str) -> str:
    return text[1:-1] if len(text) > 1 and text[0] == text[-1] and text[0] in "'\"" else text


def _state_in(terminal: Terminal, rest: str) -> tuple[str, str]:
    """A state's name, in quotes where that is needed, and what follows it.  Raises ``InvalidInput``."""
    names = terminal.session.breakpoints.languages
    if rest[:1] in {"'", '"'}:
        name, _, behind = rest[1:].partition(rest[0])
        return terminal.session.breakpoints.checked(name), behind.strip()
    begun = [name for name in names if rest == name or rest.startswith(f"{name} ")]
    if begun:  # of two states, the name of one may begin like the other's
        name = max(begun, key=len)
        return name, rest[len(name) :].strip()
    word, _, _ = rest.partition(" ")
    raise InvalidInput(f"{_unknown(terminal, word)}")


def _unknown(terminal: Terminal, word: str) -> str:
    try:
        terminal.session.breakpoints.checked(word)
    except InvalidInput as error:
        return str(error)
    return f"{word} is a state"


# -- leaving ------------------------------------------------------------------------------------------


@command("help", "h", "?", usage="[COMMAND]", help="this list, or one command")
async def help_(terminal: Terminal, rest: str) -> None:
    terminal.write(help_text(rest))


@command("stop", help="abort the execution, and leave")
async def stop_(terminal: Terminal, rest: str) -> None:
    _none(rest, "stop")
    await terminal.session.abort()
    terminal.over = terminal.aborted = True


@command("quit", "q", "exit", help="leave; an execution that has not ended can be resumed")
async def quit_(terminal: Terminal, rest: str) -> None:
    _none(rest, "quit")
    terminal.over = True


def _none(rest: str, name: str) -> None:
    if rest:
        raise InvalidInput(f"{name} takes nothing; {rest!r} was given")
