"""CSV: what AWS documents of delimiters, quotes, backslashes, headers and rows of other lengths."""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from asl_engine.datasets.csv_text import DELIMITERS, csv_rows
from asl_engine.errors import StatesError

if TYPE_CHECKING:
    from asl_engine.json_values import Json
    from tests.datasets.conftest import Items, Lay

# The example of "How Step Functions parses input CSV files".
DOCUMENTED = (
    'abc,123,"This string contains commas, a double quotation marks (""), and a newline (\n)",'
    '{""MyKey"":""MyValue""},"[1,2,3]"'
)
ROWS: dict[str, tuple[str, list[list[str]]]] = {
    "the documented example": (
        DOCUMENTED,
        [
            [
                "abc",
                "123",
                'This string contains commas, a double quotation marks ("), and a newline (\n)',
                '{"MyKey":"MyValue"}',
                "[1,2,3]",
            ]
        ],
    ),
    "a documented path": (
        "C:\\\\Program Files\\\\MyApp.exe,6534512",
        [["C:\\Program Files\\MyApp.exe", "6534512"]],
    ),
    "empty fields": (",,\n,", [["", "", ""], ["", ""]]),
    "blank lines": ("\n\na\n\r\n\nb\n\n", [["a"], ["b"]]),
    "blanks are kept": (" a , b ", [[" a ", " b "]]),
    "every line break": ("a\r\nb\rc\nd", [["a"], ["b"], ["c"], ["d"]]),
    "line breaks in quotes are kept": ('"a\r\nb\rc\nd"', [["a\r\nb\rc\nd"]]),
    "empty quotes": ('"",""\n""', [["", ""], [""]]),
    "text behind a closing quote": ('"a"b,c', [["ab", "c"]]),
    "a quote within a field": ('a"b,c"d', [['a"b', 'c"d']]),
    "quotes in quotes": ('"""a""",""""', [['"a"', '"']]),
    "an escaped delimiter": ("a\\,b,c", [["a,b", "c"]]),
    "an escaped quote": ('\\"a\\",b', [['"a"', "b"]]),
    "an escaped quote in quotes": ('"a\\"b,",c', [['a"b,', "c"]]),
    "a backslash before anything else": ("\\n\\x,1", [["nx", "1"]]),
    "a backslash at the end of a line": ("a\\\nb", [["a"], ["b"]]),
    "a backslash at the end of a line in quotes": ('"a\\\nb"', [["a\nb"]]),
    "a backslash at the end": ("a\\", [["a"]]),
    "no line break at the end": ("a,b\nc,d", [["a", "b"], ["c", "d"]]),
    "nothing": ("", []),
}


@pytest.mark.parametrize("size", [1, 2, 3, 1000])
@pytest.mark.parametrize(("text", "expected"), ROWS.values(), ids=ROWS)
def test_rows(text: str, expected: list[list[str]], size: int) -> None:
    assert list(csv_rows(split(text, size), ",")) == expected


def split(text: str, size: int) -> list[str]:
    return [text[at : at + size] for at in range(0, len(text), size)]


def model_rows(text: str, delimiter: str) -> list[list[str]]:
    """The documented rules, one character after the other."""
    rows: list[list[str]] = []
    row: list[str] = []
    field, at, quoted, fresh, any_text = "", 0, False, True, False

    def end_row() -> None:
        if any_text:
            rows.append([*row, field])
        row.clear()

    while at < len(text):
        here, after = text[at], text[at + 1 : at + 2]
        at += 1
        if here == "\\":
            any_text = True
            if after and (quoted or after not in "\r\n"):
                field, at = field + after, at + 1
            fresh = False
        elif here == '"' and fresh:
            quoted, any_text, fresh = True, True, False
        elif here == '"' and after == '"':
            field, at, any_text, fresh = field + '"', at + 1, True, False
        elif here == '"' and quoted:
            quoted = False
        elif quoted:
            field += here
        elif here == delimiter:
            row.append(field)
            field, fresh, any_text = "", True, True
        elif here in "\r\n":
            end_row()
            field, fresh, any_text = "", True, False
        else:
            field, fresh, any_text = field + here, False, True
    end_row()
    return rows


@settings(deadline=None)
@given(
    text=st.text('ab,;|\t "\\\n\r', max_size=30),
    delimiter=st.sampled_from(list(DELIMITERS.values())),
    size=st.integers(1, 8),
)
def test_any_text_is_read_by_the_rules(text: str, delimiter: str, size: int) -> None:
    from asl_engine.datasets.faults import DataFault

    try:
        rows = list(csv_rows(split(text, size), delimiter))
    except DataFault as fault:
        assert "never closed" in str(fault)  # noqa: PT017  the exception is the value
        return
    assert rows == model_rows(text, delimiter)


fields = st.text('ab,"\\\n\r ;é', max_size=6)


@settings(deadline=None)
@given(rows=st.lists(st.lists(fields, min_size=2, max_size=4), max_size=6), size=st.integers(1, 9))
def test_what_is_quoted_comes_back(rows: list[list[str]], size: int) -> None:
    quoted = ('"' + field.replace("\\", "\\\\").replace('"', '""') + '"' for row in rows for field in row)
    text = "".join(",".join(next(quoted) for _ in row) + "\r\n" for row in rows)
    assert list(csv_rows(split(text, size), ",")) == rows


@settings(deadline=None)
@given(rows=st.lists(st.lists(st.text("abc é", min_size=1), min_size=1, max_size=4), max_size=6))
def test_plain_text_is_read_as_by_the_standard_library(rows: list[list[str]]) -> None:
    file = io.StringIO()
    csv.writer(file).writerows(rows)
    assert list(csv_rows([file.getvalue()], ",")) == list(csv.reader(io.StringIO(file.getvalue())))


CONFIGS: dict[str, tuple[str, dict[str, Json], list[dict[str, str]]]] = {
    "the first row": ("a,b\n1,2", {"CSVHeaderLocation": "FIRST_ROW"}, [{"a": "1", "b": "2"}]),
    "given headers": (
        "1,2\n3,4",
        {"CSVHeaderLocation": "GIVEN", "CSVHeaders": ["x", "y"]},
        [{"x": "1", "y": "2"}, {"x": "3", "y": "4"}],
    ),
    "too few fields": ("a,b,c\n1", {"CSVHeaderLocation": "FIRST_ROW"}, [{"a": "1", "b": "", "c": ""}]),
    "too many fields": ("a\n1,2,3", {"CSVHeaderLocation": "FIRST_ROW"}, [{"a": "1"}]),
    "a header given twice": ("a,a\n1,2", {"CSVHeaderLocation": "FIRST_ROW"}, [{"a": "2"}]),
    "a byte order mark": ("\ufeffa\n1", {"CSVHeaderLocation": "FIRST_ROW"}, [{"a": "1"}]),
    "only a header": ("a,b\n", {"CSVHeaderLocation": "FIRST_ROW"}, []),
    "nothing": ("", {"CSVHeaderLocation": "FIRST_ROW"}, []),
    **{
        delimiter: (
            f"a{char}b\n1{char}2",
            {"CSVHeaderLocation": "FIRST_ROW", "CSVDelimiter": delimiter},
            [{"a": "1", "b": "2"}],
        )
        for delimiter, char in DELIMITERS.items()
    },
}


@pytest.mark.parametrize(("text", "config", "expected"), CONFIGS.values(), ids=CONFIGS)
def test_rows_are_items(
    lay: Lay, items: Items, text: str, config: dict[str, Json], expected: list[dict[str, str]]
) -> None:
    found = items(lay("t.csv", text), InputType="CSV", **config)
    assert [item.value for item in found] == expected


BAD: dict[str, tuple[str | bytes, str]] = {
    "an open quote": ('a,b\n1,2\n3,"4\n5,6\n', "the quotation mark of line 3 is never closed"),
    "latin-1": (b"a,b\n1,\xe9\n", "not UTF-8 text at byte 6 (e9 0a)"),
    "utf-16": ("a,b\n1,2".encode("utf-16"), "not UTF-8 text at byte 0"),
    "rubbish": (bytes(range(256)) * 4, "not UTF-8"),
    "a long header": ("h" * 10_241 + "\n1", "the header has more than 10240 bytes"),
}


@pytest.mark.parametrize(("content", "cause"), BAD.values(), ids=BAD)
def test_what_is_no_csv_is_located(lay: Lay, items: Items, content: str | bytes, cause: str) -> None:
    with pytest.raises(StatesError) as caught:
        items(lay("t.csv", content), InputType="CSV", CSVHeaderLocation="FIRST_ROW")
    assert caught.value.error == "States.ItemReaderFailed"
    assert cause in str(caught.value.cause)


def test_a_row_without_an_end_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("asl_engine.datasets.csv_text.MAX_ITEM_BYTES", 20)
    with pytest.raises(Exception, match="is the quotation mark of line 2 closed"):
        list(csv_rows(['a\n"b\n', *["cccccc\n"] * 9], ","))


@pytest.mark.parametrize("size", [64, 65_536])
@pytest.mark.parametrize("filling", ["x", '""', "\\,", "é"])
def test_a_long_field_takes_no_longer_than_short_ones(filling: str, size: int) -> None:
    """Whoever looks for the end of the line from each of its characters does not finish this within a day."""
    field = filling * (262_144 // len(filling))
    text = f'a,b\n"{field}",2\n'
    value = field.replace('""', '"').replace("\\,", ",")
    assert list(csv_rows(split(text, size), ",")) == [["a", "b"], [value, "2"]]
