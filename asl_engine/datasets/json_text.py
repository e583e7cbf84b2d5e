"""The items of a JSON text that comes in pieces: the elements of an array, or the members of an object.

The C scanner of the standard library parses a value as soon as enough of it has arrived; a value cut off by
the end of a piece is parsed again when there is twice as much text.  So the work is linear, and memory
holds one item and one piece.
"""

from __future__ import annotations

import re
from json import JSONDecodeError
from typing import TYPE_CHECKING, Final

from asl_engine.datasets.faults import DataFault, reader_failed
from asl_engine.datasets.item import MAX_ITEM_BYTES
from asl_engine.json_text import JsonSyntaxError, scan, too_deep
from asl_engine.limits import utf8_length

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from asl_engine.json_values import Json

__all__ = ["json_items"]

# The part of an object in which the array or object that ItemsPointer selects has to begin.
POINTER_REACH_BYTES: Final = 16 * 1024 * 1024
# A JSON literal, number or escape that is cut off shows this only within the last characters of the text,
# at most this many (-Infinity is the longest).
SLACK: Final = 16
# Recorded from AWS, as the whole cause.
NOT_ITERABLE: Final = "Attempting to map over non-iterable node."
BLANK: Final = re.compile(r"[ \t\n\r]*+")
NEXT: Final = re.compile(r"[ \t\n\r]*+,[ \t\n\r]*+")
STRUCTURE: Final = re.compile(r'["\[\]{}]')


def json_items(texts: Iterable[str], pointer: str | None = None) -> Iterator[tuple[str | None, Json]]:
    """Each element with None, or each member's value with its name.

    ``pointer`` is a JSON Pointer (RFC 6901) to the array or object; the whole text without a pointer.  With
    a pointer, the text behind the selected value is not read.  Raises ``DataFault``, and ``StatesError``
    States.ItemReaderFailed for JSON that has no items.
    """
    text = JsonText(texts)
    if pointer:
        seek(text, pointer)
    opening = text.next()
    if opening == "[":
        yield from ((None, value) for value in elements(text))
    elif opening == "{":
        yield from members(text)
    elif opening:
        text.back()
        text.value()  # raises if it is not JSON either
    else:
        raise text.fault("it ends where an array or an object has to begin")
    if not pointer and text.next():
        text.back()
        raise text.fault("there is more text behind the end of the JSON value")
    if opening not in {"[", "{"}:
        raise reader_failed(NOT_ITERABLE)


def elements(text: JsonText) -> Iterator[Json]:
    """The elements of an array whose bracket has been read."""
    if text.peek() == "]":
        text.next()
        return
    while True:
        yield text.value()
        if not text.goes_on("]"):
            return


def members(text: JsonText) -> Iterator[tuple[str, Json]]:
    """The members of an object whose brace has been read.  A duplicate name yields two members."""
    if text.peek() == "}":
        text.next()
        return
    while True:
        name = text.name()
        yield name, text.value()
        if not text.goes_on("}"):
            return


def seek(text: JsonText, pointer: str) -> None:
    """Read up to the value that the pointer selects."""
    missing = DataFault(f"ItemsPointer {pointer} selects nothing in it")
    if not pointer.startswith("/"):
        raise DataFault(f"ItemsPointer {pointer} has to begin with /")
    for part in pointer[1:].split("/"):
        wanted = part.replace("~1", "/").replace("~0", "~")
        opening = text.next()
        if opening not in {"{", "["} or text.peek() in {"}", "]"}:
            raise missing
        closing = "}" if opening == "{" else "]"
        index = 0
        while (text.name() if opening == "{" else str(index)) != wanted:
            text.skip()
            index += 1
            if not text.goes_on(closing):
                raise missing
    text.peek()
    if text.read_bytes() > POINTER_REACH_BYTES:
        raise DataFault(f"ItemsPointer {pointer} selects nothing in its first {POINTER_REACH_BYTES} bytes")


class JsonText:
    """A reading head over the text."""

    def __init__(self, texts: Iterable[str]) -> None:
        self._texts = iter(texts)
        self._text = ""
        self._at = 0
        self._complete = False
        # Counts of the text that has been read and dropped:
        self._lines = 0
        self._column = 0
        self._bytes = 0

    def peek(self) -> str:
        """The next character that is not blank; "" at the end."""
        while True:
            self._at = BLANK.match(self._text, self._at).end()  # type: ignore[union-attr]  # always matches
            if self._at < len(self._text):
                return self._text[self._at]
            if not self._more():
                return ""

    def next(self) -> str:
        """As ``peek``, and read it."""
        found = self.peek()
        self._at += len(found)
        return found

    def back(self) -> None:
        """Unread what ``next`` has read."""
        self._at = max(self._at - 1, 0)

    def value(self) -> Json:
        """Read a value."""
        self.peek()
        while True:
            try:
                value, end = scan(self._text, self._at)
            except JsonSyntaxError as error:
                raise self.fault(error.message) from None
            except JSONDecodeError as error:
                cut = error.pos >= len(self._text) - SLACK or error.msg.startswith("Unterminated string")
                if not cut or self._complete:
                    raise self.fault(error.msg, error.pos) from None
                self._more()
                continue
            # A number may continue behind the end of the text read so far.
            if end <= len(self._text) - SLACK or self._complete:
                if too_deep(value, end - self._at):
                    raise self.fault("the value is nested too deeply")
                self._at = end
                return value
            self._more()

    def name(self) -> str:
        """Read a member's name and the colon."""
        if self.peek() != '"':
            raise self.fault("expected the name of a member, in double quotes")
        name = self.value()
        if self.next() != ":":
            self.back()
            raise self.fault("expected a colon")
        assert isinstance(name, str)  # noqa: S101  it began with a quotation mark
        return name

    def goes_on(self, closing: str) -> bool:
        """Read a comma, or the end."""
        comma = NEXT.match(self._text, self._at)
        if comma is not None:
            self._at = comma.end()
            return True
        found = self.next()
        if found == closing:
            return False
        if found == ",":
            return True
        if found:
            self.back()
        raise self.fault(f"expected a comma or {closing}")

    def skip(self) -> None:
        """Skip a value without building it, looking only at its brackets and strings."""
        if self.peek() not in {"{", "["}:
            self.value()
            return
        depth = 0
        while True:
            found = STRUCTURE.search(self._text, self._at)
            if found is None:
                self._at = len(self._text)
                if self.read_bytes() > POINTER_REACH_BYTES or not self._more():
                    raise self.fault("ItemsPointer has to select something before this")
                continue
            self._at = found.start()
            if found[0] == '"':
                self.value()
                continue
            self._at += 1
            depth += 1 if found[0] in "{[" else -1
            if depth == 0:
                return

    def read_bytes(self) -> int:
        return self._bytes + utf8_length(self._text[: self._at])

    def fault(self, message: str, at: int | None = None) -> DataFault:
        read = self._text[: self._at if at is None else at]
        line, column = self._position(read)
        offset = self._bytes + utf8_length(read)
        return DataFault(f"{message} (line {line + 1}, column {column + 1}, byte {offset})")

    def _position(self, read: str) -> tuple[int, int]:
        breaks = read.count("\n")
        column = len(read) - read.rfind("\n") - 1 if breaks else self._column + len(read)
        return self._lines + breaks, column

    def _more(self) -> bool:
        """Drop what has been read, and read as much again as is left."""
        if self._complete:
            return False
        read, left = self._text[: self._at], self._text[self._at :]
        if len(left) > MAX_ITEM_BYTES:
            raise self.fault(f"an item has more than {MAX_ITEM_BYTES} bytes")
        self._lines, self._column = self._position(read)
        self._bytes += utf8_length(read)
        added: list[str] = []
        wanted = max(len(left), 1)
        while wanted > 0:
            piece = next(self._texts, None)
            if piece is None:
                self._complete = True
                break
            added.append(piece)
            wanted -= len(piece)
        self._text, self._at = left + "".join(added), 0
        return bool(added)
