"""The commands of the debugger's terminal, each with its words and its help."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from asl_engine.errors import InvalidInput
from asl_engine.findings import did_you_mean

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

__all__ = ["COMMANDS", "TerminalCommand", "find_command", "help_text"]


class TerminalCommand(NamedTuple):
    """``names``: the first is the one to read; ``usage`` is what follows it."""

    names: tuple[str, ...]
    usage: str
    help: str
    act: Callable[..., Awaitable[None]]  # of the terminal, and of what follows the name


COMMANDS: list[TerminalCommand] = []


def find_command(word: str) -> TerminalCommand:
    """The command of this name, or the only one that begins so.  Raises ``InvalidInput``."""
    exact = [one for one in COMMANDS if word in one.names]
    if exact:
        return exact[0]
    begun = [one for one in COMMANDS if one.names[0].startswith(word)]
    if len(begun) == 1:
        return begun[0]
    names = [one.names[0] for one in COMMANDS]
    among = f": {', '.join(one.names[0] for one in begun)}" if begun else did_you_mean(word, names)
    raise InvalidInput(f"{word!r} is {'several commands' if begun else 'no command'}{among} (see help)")


def help_text(word: str = "") -> str:
    """All commands, or one of them."""
    chosen = [find_command(word)] if word else COMMANDS
    shown = [(" ".join([", ".join(one.names), one.usage]).strip(), one.help) for one in chosen]
    width = max(len(left) for left, _ in shown) if len(shown) > 1 else 0
    return "\n".join(f"{left.ljust(width)}  {told}" for left, told in shown)
