"""What a command reads: definitions, inputs, names."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from asl_engine.arn import ALLOWED_IN_NAMES, is_name, name_from
from asl_engine.errors import InvalidInput, Parameter
from asl_engine.findings import did_you_mean
from asl_engine.json_text import JsonSyntaxError, loads
from asl_engine.limits import AWS_LIMITS, Limits, utf8_length
from asl_engine.payload import Payload

if TYPE_CHECKING:
    from asl_engine.limits import Limits

__all__ = ["checked_name", "is_there", "machine_name", "read_input", "read_text", "split_reference"]

STDIN = "-"
STDIN_NAME = "standard input"
INPUT_IS = "give JSON such as {}, a file, or - for the standard input"
MAX_FILES = 5
JSON_BEGINS = ("{", "[", '"')


def read_text(source: str, what: str) -> str:
    """The text of a file, or of the standard input for ``-``; a byte order mark is dropped.

    ``what`` names it in messages.  Raises ``InvalidInput`` where it cannot be read or is not UTF-8.
    """
    place = STDIN_NAME if source == STDIN else source
    try:
        content = _standard_input() if source == STDIN else Path(source).read_bytes()
        return content.decode("utf-8-sig")
    except FileNotFoundError:
        raise InvalidInput(_no_file(source, what)) from None
    except IsADirectoryError:
        raise InvalidInput(f"{source} is a folder, not {what}{_files_in(source)}") from None
    except OSError as error:
        raise InvalidInput(f"cannot read {what} {place}: {error.strerror}") from None
    except UnicodeDecodeError as error:
        utf16 = error.object.startswith((b"\xff\xfe", b"\xfe\xff"))
        hint = "; it is UTF-16: save it as UTF-8" if utf16 else ""
        raise InvalidInput(f"{place}: {what} is not UTF-8 text (byte {error.start + 1}){hint}") from None
    except ValueError:  # a null character
        raise InvalidInput(f"{source!r} cannot be the name of a file ({what})") from None


def _no_file(source: str, what: str, neither: str = "") -> str:
    """That there is no such file, and which was probably meant."""
    message = f"there is no file {source} ({what}){neither}"
    path = re.sub(r"^(file://|fileb://|@)", "", source)  # as other tools want it
    if path != source and Path(path).is_file():
        return f"{message}; give its path alone: {path}"
    given = Path(source)
    folder = given.parent
    places = [folder, folder / "statemachines"]
    if not folder.is_dir() and folder.parent.is_dir():  # the folder's name may be what is misspelt
        places += [one for one in folder.parent.iterdir() if not one.name.startswith(".")]
    there = [file for place in places if place.is_dir() for file in place.iterdir() if file.is_file()]
    same = [str(file) for file in there if given.name in {file.name, file.stem, file.stem.removesuffix(".asl")}]
    home = str(folder / "statemachines" / given.name)
    if same:
        return f"{message}; did you mean '{home if home in same else min(same)}'?"
    return message + did_you_mean(str(given), map(str, there))


def _files_in(folder: str) -> str:
    """Some files of a folder that could have been meant."""
    names = sorted(file.name for file in Path(folder).iterdir() if file.suffix in {".json", ".yaml", ".yml"})
    if not names:
        return ""
    more = ", ..." if len(names) > MAX_FILES else ""
    return f"; it has {', '.join(names[:MAX_FILES])}{more}"


def _standard_input() -> bytes:
    if sys.stdin is None:
        return b""
    return sys.stdin.buffer.read()


def read_input(given: str | None, limits: Limits) -> Payload:
    """The execution's input: a file, ``-`` for the standard input, or JSON text; ``{}`` where none is given.

    Its text is kept to the letter, as the history shows it.  Raises ``InvalidInput`` where it is not
    JSON, or larger than ``limits`` allow.
    """
    if given is None:
        return Payload({}, "{}")
    place: str | Parameter
    if not given.strip():  # an empty variable of a shell
        raise InvalidInput(Parameter("input"), f" is empty: {INPUT_IS}")
    if given == STDIN or _is_file(given):
        place, text = (STDIN_NAME if given == STDIN else given), read_text(given, "the input")
    else:
        place, text = Parameter("input"), given
    if not text.strip():
        raise InvalidInput(place, ": the input is empty: it has to be JSON, such as {}")
    try:
        value = loads(text)
    except JsonSyntaxError as error:
        if isinstance(place, Parameter) and not given.lstrip().startswith(JSON_BEGINS):
            raise InvalidInput(_no_file(given, "the input", ", and it is not JSON either")) from None
        from asl_engine.language.json_mistakes import explained

        raise InvalidInput(
            place, f":{error.line}:{error.column}: the input is not JSON: {explained(error, text)}"
        ) from None
    _check_size(text, place, limits)
    return Payload(value, text)


def _is_file(given: str) -> bool:
    """Folders count too: the message about them is better than the one about JSON."""
    try:
        return Path(given).exists()
    except (OSError, ValueError):  # a JSON text is often too long for a name
        return False


def _check_size(text: str, place: str | Parameter, limits: Limits) -> None:
    size = utf8_length(text)
    if limits.payload_bytes is not None and size > limits.payload_bytes:
        raise InvalidInput(
            place,
            f": the input has {size:,} bytes; AWS allows {limits.payload_bytes:,} (256 KiB): "
            "pass a reference to the data instead, or ",
            Parameter("limit", "payload_bytes=none"),
        )


def checked_name(name: str, limits: Limits = AWS_LIMITS) -> str:
    """The name of an execution as StartExecution allows it.  Raises ``InvalidInput``."""
    if not is_name(name, limits.name_length):
        raise InvalidInput(Parameter("name", repr(name)), f": a name has {ALLOWED_IN_NAMES}")
    return name


def split_reference(given: str) -> tuple[str, str | None]:
    """``template.yaml#Order`` -> ("template.yaml", "Order"); None where no machine is named."""
    if given == STDIN or "#" not in given or _is_file(given):
        return given, None
    file, _, machine = given.rpartition("#")
    return (file, machine) if file else (given, None)


def is_there(reference: Path) -> bool:
    """Whether the file of a definition, or the template of FILE#MACHINE, still is where it was."""
    file, _ = split_reference(str(reference))
    return Path(file).is_file() or (Path(file).is_dir() and file != str(reference))


def machine_name(definition: str) -> str:
    """The state machine's name after its file: ``order`` for ``order.json`` and for ``order.asl.json``.

    One from the standard input is called ``stdin``, and one of a template as it is named there.
    """
    if definition == STDIN:
        return "stdin"
    _, chosen = split_reference(definition)
    if chosen is not None:
        return name_from(chosen)
    stem = Path(definition).stem.removesuffix(".asl")
    return name_from(stem)
