"""What a target gets of an event: all of it, a part (InputPath), a constant (Input), or a text made of parts.

"Amazon EventBridge input transformation" in the User Guide.  A template is compiled to pieces of text between
placeholders.  A placeholder in quotes is replaced by text, one outside by JSON.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final, NamedTuple, TypeAlias

from asl_engine.events.language.event_paths import compile_path
from asl_engine.events.language.faults import InvalidTransformer
from asl_engine.findings import did_you_mean
from asl_engine.json_text import JsonSyntaxError, dumps, loads
from asl_engine.json_values import MISSING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from asl_engine.json_values import Json, Missing

__all__ = ["RuleFacts", "Transformer", "compile_input"]

MAX_PATHS: Final = 100
PLACEHOLDER: Final = re.compile(r"<([A-Za-z0-9_.\-]+)>")
KEY: Final = re.compile(r"[A-Za-z0-9_-]+")
FOLLOWED_BY_COLON: Final = re.compile(r'(?:[^"\\]|\\.)*"\s*:')


class RuleFacts(NamedTuple):
    """What the reserved placeholders tell of a rule and of the event's arrival (ISO 8601)."""

    rule_arn: str
    rule_name: str
    ingested_at: str


# The text that a target gets: JSON, but for a template that is plain text.
Transformer: TypeAlias = "Callable[[dict[str, Any], RuleFacts], str]"

RESERVED_NAMES: Final[Mapping[str, Callable[[dict[str, Any], RuleFacts], Json]]] = {
    "aws.events.rule-arn": lambda _, facts: facts.rule_arn,
    "aws.events.rule-name": lambda _, facts: facts.rule_name,
    "aws.events.event.ingestion-time": lambda _, facts: facts.ingested_at,
    "aws.events.event": lambda event, _: {name: value for name, value in event.items() if name != "detail"},
    "aws.events.event.json": lambda event, _: event,
}


class Hole(NamedTuple):
    """A placeholder of a template.  ``quoted``: it stands within a string."""

    name: str
    quoted: bool


def compile_input(target: Mapping[str, Any]) -> Transformer:
    """What makes a target's input of an event: its Input, InputPath or InputTransformer, of which it may have one.

    Raises ``InvalidTransformer``.
    """
    given = [name for name in ("Input", "InputPath", "InputTransformer") if target.get(name) is not None]
    if len(given) > 1:
        raise InvalidTransformer(
            f"Only one of Input, InputPath, or InputTransformer must be provided; here are {', '.join(given)}"
        )
    if not given:
        return lambda event, _facts: dumps(event)
    value = target[given[0]]
    if given[0] == "Input":
        return _constant(value)
    if given[0] == "InputPath":
        read = compile_path(value, "InputPath")
        return lambda event, _facts: _text_of(read(event), "null")
    return _template(value.get("InputPathsMap") or {}, value["InputTemplate"])


def _constant(text: str) -> Transformer:
    try:
        loads(text)
    except JsonSyntaxError as error:
        raise InvalidTransformer(f"Input: this is not JSON: {error}") from None
    return lambda _event, _facts: text


def _text_of(value: Json | Missing, absent: str) -> str:
    return absent if value is MISSING else dumps(value)


def _template(paths: Mapping[str, str], template: str) -> Transformer:
    if len(paths) > MAX_PATHS:
        raise InvalidTransformer(f"InputPathsMap: there may be {MAX_PATHS} paths; there are {len(paths)}")
    for name in paths:
        if name.upper().startswith("AWS.") or not KEY.fullmatch(name):
            raise InvalidTransformer(
                f"InputPathsMap: {name!r} cannot be a name: it consists of letters, digits, - and _, "
                "and names that begin with AWS. are reserved"
            )
    readers = {name: compile_path(path, f"InputPathsMap: {name}") for name, path in paths.items()}
    pieces = _pieces(template, {*paths, *RESERVED_NAMES})
    is_text = template.lstrip()[:1] not in ("{", "[", '"', "<") and not _is_scalar(template)
    if is_text or _is_sentence(template, pieces):
        pieces = [
            piece._replace(quoted=True) if isinstance(piece, Hole) else dumps(piece)[1:-1] for piece in pieces
        ]
        pieces = ['"', *pieces, '"']
    else:
        _check_json(template, pieces)

    def transform(event: dict[str, Any], facts: RuleFacts) -> str:
        known: dict[str, Json | Missing] = {}
        made = []
        for piece in pieces:
            if isinstance(piece, str):
                made.append(piece)
                continue
            if piece.name not in known:
                reserved = RESERVED_NAMES.get(piece.name)
                known[piece.name] = reserved(event, facts) if reserved else readers[piece.name](event)
            made.append(_filled(known[piece.name], quoted=piece.quoted))
        return "".join(made)

    return transform


def _is_scalar(template: str) -> bool:
    try:
        loads(template)
    except JsonSyntaxError:
        return False
    return True


def _is_sentence(template: str, pieces: list[str | Hole]) -> bool:
    """Whether a template that begins with a placeholder goes on with text: ``<instance> is <state>``."""
    return template.lstrip().startswith("<") and any(isinstance(piece, str) and piece.strip() for piece in pieces)


def _filled(value: Json | Missing, *, quoted: bool) -> str:
    """What a placeholder is replaced by.  What the event does not have is an empty text."""
    if not quoted:
        return _text_of(value, '""')
    if value is MISSING:
        return ""
    # Within a string AWS drops the quotes of an object's JSON instead of escaping them.
    return dumps(value)[1:-1] if isinstance(value, str) else dumps(value).replace('"', "").replace("\\", "\\\\")


def _pieces(template: str, names: set[str]) -> list[str | Hole]:
    pieces: list[str | Hole] = []
    at, quoted = 0, False
    for found in PLACEHOLDER.finditer(template):
        between = template[at : found.start()]
        quoted = quoted != bool(len(re.findall(r'(?<!\\)(?:\\\\)*"', between)) % 2)
        line = template.count("\n", 0, found.start()) + 1
        place = f"InputTemplate:{line}:{found.start() - template.rfind(chr(10), 0, found.start())}"
        name = found[1]
        if name not in names:
            known = ", ".join(sorted(names - RESERVED_NAMES.keys())) or "no others"
            raise InvalidTransformer(
                f"{place}: there is no variable <{name}>{did_you_mean(name, names)}; "
                f"InputPathsMap has {known}, and reserved are {', '.join(RESERVED_NAMES)}"
            )
        if quoted and FOLLOWED_BY_COLON.match(template, found.end()):
            raise InvalidTransformer(f"{place}: the placeholder <{name}> cannot be used as an object key")
        pieces += [between, Hole(name, quoted)]
        at = found.end()
    return [*pieces, template[at:]]


def _check_json(template: str, pieces: list[str | Hole]) -> None:
    """Raises ``InvalidTransformer`` where the template would not become JSON."""
    tried = "".join(
        piece
        if isinstance(piece, str)
        else "x" * (len(piece.name) + 2)
        if piece.quoted
        else f"{'[]':<{len(piece.name) + 2}}"
        for piece in pieces
    )
    try:
        loads(tried)
    except JsonSyntaxError as error:
        raise InvalidTransformer(
            f"InputTemplate:{error.line}:{error.column}: it does not become JSON: {error}. A placeholder "
            "stands for a whole value, or within quotes for a part of a text"
        ) from None
    del template
