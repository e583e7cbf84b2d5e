"""Text with delimiters: rows of fields, and items from rows and a header.

AWS documentation, "How Step Functions parses input CSV files": fields are text; a field in double quotes
may hold delimiters and line breaks; two double quotes stand for one, in and out of quotes; a backslash makes
a backslash, a double quote or a delimiter ordinary and vanishes before anything else.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from asl_engine.datasets.faults import DataFault
from asl_engine.datasets.item import MAX_ITEM_BYTES
from asl_engine.limits import utf8_length

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from asl_engine.json_values import Json

__all__ = ["DELIMITERS", "csv_items", "csv_rows"]

DELIMITERS: Final = {"COMMA": ",", "PIPE": "|", "SEMICOLON": ";", "SPACE": " ", "TAB": "\t"}
MAX_HEADER_BYTES: Final = 10 * 1024

LINE_END: Final = re.compile(r"\r\n|\n|\r")
QUOTED: Final = re.compile(r'(?:[^"\\]++|\\.|"")*+', re.DOTALL)
ESCAPED: Final = re.compile(r'\\(.)|""', re.DOTALL)


def csv_items(
    texts: Iterable[str], delimiter: str = ",", headers: Sequence[str] | None = None
) -> Iterator[dict[str, Json]]:
    """An object for each row; the names come from ``headers``, or from the first row.

    Fields that a row lacks are empty, surplus fields are dropped, and rows without any text are
    skipped.  Raises ``DataFault``.
    """
    rows = csv_rows(texts, delimiter)
    names = next(rows, None) if headers is None else list(headers)
    if names is None:
        return
    if sum(map(utf8_length, names)) > MAX_HEADER_BYTES:
        raise DataFault(f"the header has more than {MAX_HEADER_BYTES} bytes")
    width = len(names)
    for row in rows:
        if len(row) < width:
            row.extend([""] * (width - len(row)))
        yield dict(zip(names, row, strict=False))


def csv_rows(texts: Iterable[str], delimiter: str) -> Iterator[list[str]]:
    """The fields of each row.

    Most rows have neither quotes nor backslashes and are split by one call; only the others are parsed.
    """
    parser = RowParser(delimiter)
    rest = ""
    for piece in texts:
        text = rest + piece
        held = "\r" if text.endswith("\r") else ""  # half of a line break, perhaps
        if held:
            text = text[:-1]
        if not parser.quoted and '"' not in text and "\\" not in text:
            if "\r" in text:
                text = text.replace("\r\n", "\n").replace("\r", "\n")
            *whole, rest = text.split("\n")
            parser.line += len(whole)
            for line in whole:
                if line:
                    yield line.split(delimiter)
        else:
            at = 0
            for found in LINE_END.finditer(text, max(len(rest) - 1, 0)):  # what was left has at most half an end
                row = parser.feed(text[at : found.start()], found[0])
                if row is not None:
                    yield row
                at = found.end()
            rest = text[at:]
        rest += held
        parser.check(rest)
    row = parser.feed(rest.removesuffix("\r"), "")
    if row is not None:
        yield row
    if parser.quoted:
        raise DataFault(f"the quotation mark of line {parser.opened_in} is never closed")


class RowParser:
    """Parses a row that may span several lines."""

    def __init__(self, delimiter: str) -> None:
        self.line = 0  # the number of lines so far
        self.quoted = False  # within quotes
        self.opened_in = 0  # the line of the last opening quotation mark
        self._unquoted = re.compile(rf"(?:[^\\{re.escape(delimiter)}]++|\\.)*+", re.DOTALL)
        self._fields: list[str] = []
        self._field: list[str] = []
        self._length = 0

    def check(self, rest: str) -> None:
        if self._length + len(rest) > MAX_ITEM_BYTES:
            hint = f"; is the quotation mark of line {self.opened_in} closed?" if self.quoted else ""
            raise DataFault(f"the row of line {self.line + 1} has more than {MAX_ITEM_BYTES} bytes{hint}")

    def feed(self, line: str, end: str) -> list[str] | None:
        """Take a line and its ending; the fields of the row, or None if the row goes on or is empty."""
        self.line += 1
        self._length += len(line) + len(end)
        self.check("")
        if not self.quoted and not line:
            self._length = 0
            return None
        at = 0 if self.quoted else self._begin(line, 0)
        while True:
            if self.quoted:
                at = self._take(QUOTED, line, at)
                if at >= len(line) or line[at] == "\\":
                    self._field.append(end)
                    return None
                self.quoted = False
                at += 1
            at = self._take(self._unquoted, line, at)
            self._fields.append("".join(self._field))
            self._field = []
            if at >= len(line) or line[at] == "\\":  # a backslash before the line break
                break
            at = self._begin(line, at + 1)
        row, self._fields, self._length = self._fields, [], 0
        return row

    def _begin(self, line: str, at: int) -> int:
        """Begin a field: where its text begins."""
        self.quoted = line.startswith('"', at)
        if self.quoted:
            self.opened_in = self.line
        return at + self.quoted

    def _take(self, pattern: re.Pattern[str], line: str, at: int) -> int:
        found = pattern.match(line, at)
        assert found is not None  # noqa: S101  it may match nothing, but it matches
        self._field.append(ESCAPED.sub(_unescaped, found[0]))
        return found.end()


def _unescaped(found: re.Match[str]) -> str:
    return found[1] or '"'
