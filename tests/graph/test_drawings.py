"""A layout as SVG and in a terminal, and a model in the languages of others."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

import pytest

from asl_engine.graph.dot import dot
from asl_engine.graph.mermaid import mermaid
from asl_engine.graph.model import graph_of, scopes_within
from asl_engine.graph.outline import outline
from asl_engine.graph.overlay import TIMES, Mark, Overlay
from asl_engine.graph.svg import style_sheet, svg
from asl_engine.graph.terminal import drawn
from asl_engine.graph.text import columns, cut_columns, em_width, visible, wrapped
from tests.core.steps import catch, scope, state
from tests.graph.machines import HOSTILE, MACHINES, NESTED, ORDER, SELF, call

if TYPE_CHECKING:
    from collections.abc import Iterable

    from asl_engine.graph.pieces import Row

SVG = "{http://www.w3.org/2000/svg}"
SMALL = scope(Do=call("do", Next="Rest", Catch=catch("Sorry")), Rest=state("Pass"), Sorry=state("Fail", Error="E"))
TAKEN = Overlay(
    "one, FAILED",
    {"/States/Do": Mark("caught", "E · 3 attempts"), "/States/Sorry": Mark("failed", "E")},
    {"": 1, "/States/Do/Catch[0]": 1, "/States/Sorry": 2},
)


def plain(rows: Iterable[Row] | None) -> list[str]:
    assert rows is not None
    return ["".join(piece.text for piece in row).rstrip() for row in rows]


def parsed(text: str) -> ET.Element:
    return ET.fromstring(text)  # noqa: S314  our own


# -- SVG ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", MACHINES)
def test_an_svg_has_each_state_once_by_its_name(name: str) -> None:
    root = parsed(svg(graph_of(MACHINES[name]), "m"))
    shown = [one.get("data-state") for one in root.iter(f"{SVG}g") if one.get("data-state")]
    names = [
        node.name for scope in scopes_within(graph_of(MACHINES[name])) for node in scope.nodes if not node.is_mark
    ]
    assert sorted(map(str, shown)) == sorted(map(visible, names))


def test_an_svg_needs_nothing_else_and_runs_nothing() -> None:
    text = svg(graph_of(HOSTILE), "</title><script>")
    root = parsed(text)
    kinds = {element.tag.removeprefix(SVG) for element in root.iter()}
    assert kinds <= {"svg", "title", "style", "g", "rect", "path", "text", "circle"}
    attributes = {name for element in root.iter() for name in element.attrib}
    assert not [name for name in attributes if name.startswith("on") or "href" in name or name == "style"]
    assert "url(" not in text
    assert "@import" not in text
    named = [element.text for element in root.iter(f"{SVG}text")]
    assert "<script>alert(1)</script>" in named
    assert "evil \\u202e txet" in named


def test_a_name_is_shown_whole_in_several_lines() -> None:
    root = parsed(svg(graph_of(HOSTILE), "m"))
    long = next(one for one in root.iter(f"{SVG}g") if one.get("data-state") == "A" * 80)
    lines = [text.text or "" for text in long.iter(f"{SVG}text") if text.get("class") == "name"]
    assert len(lines) > 1
    assert "".join(lines) == "A" * 80


def test_text_has_room_in_its_box() -> None:
    """As wide as a wide font makes it."""
    for machine in MACHINES.values():
        for group in parsed(svg(graph_of(machine), "m")).iter(f"{SVG}g"):
            box = group.find(f"{SVG}rect")
            if box is not None and (group.get("class") or "").startswith(("node", "label")):
                for text in group.iter(f"{SVG}text"):
                    size = 13 if text.get("class") == "name" else 11
                    assert em_width(text.text or "") * size <= float(box.get("width") or 0) + 1


def is_edge(one: ET.Element) -> bool:
    """And not the label of one, which has its places too; nor that from the start, which has none."""
    return str(one.get("class")).startswith("edge ") and bool(one.get("data-places"))


def test_an_overlay_is_classes_and_counts() -> None:
    root = parsed(svg(graph_of(SMALL), "m", TAKEN))
    classes = {one.get("data-state"): one.get("class") for one in root.iter(f"{SVG}g") if one.get("data-state")}
    assert classes == {
        "Do": "node type-Task caught",
        "Rest": "node type-Pass not-reached",
        "Sorry": "node type-Fail failed",
    }
    edges = {one.get("data-places"): one.get("class") for one in root.iter(f"{SVG}g") if is_edge(one)}
    assert edges == {
        "/States/Do/Next": "edge next",
        "/States/Do/Catch[0]": "edge catch taken",
        "/States/Rest/End": "edge next",
        "/States/Sorry": "edge next taken",
    }
    told = [text.text for text in root.iter(f"{SVG}text") if "told" in (text.get("class") or "")]
    assert told == ["! E · 3 attempts", "not reached", "✗ E"]
    counts = [text.text for text in root.iter(f"{SVG}text") if "count" in (text.get("class") or "")]
    assert counts == [f"{TIMES} 2"]


def test_where_it_counts_an_edge_that_was_never_taken_says_so() -> None:
    root = parsed(svg(graph_of(SMALL), "m", TAKEN._replace(shows_zero=True)))
    counts = [text.text for text in root.iter(f"{SVG}text") if "count" in (text.get("class") or "")]
    assert sorted(map(str, counts)) == ["never", "never", f"{TIMES} 1", f"{TIMES} 2"]


def test_what_was_taken_is_drawn_over_what_was_not() -> None:
    drawn_edges = re.findall(r'<g class="edge [^"]*', svg(graph_of(SMALL), "m", TAKEN))
    taken = ["taken" in one for one in drawn_edges]
    assert taken == sorted(taken)


def test_a_page_may_bring_the_styles_and_links() -> None:
    bare = svg(graph_of(SMALL), "m", styled=False, links={"Do": "#do"})
    assert "<style>" not in bare
    assert "style=" not in bare
    assert bare.count('<a href="#do">') == bare.count("</a>") == 1
    assert 'role="group"' in bare  # an image would hide its links
    assert 'role="img"' in svg(graph_of(SMALL), "m")
    assert ".asl-graph" in style_sheet()
    assert "prefers-color-scheme: dark" in style_sheet()


PICTURE = """\
     ●
     ▼
╭ Task ───╮
│   Do    │
╰─────────╯
     │  ╰──────╮
     ▼         │
╭ Pass ───╮    E
│  Rest   │    │
╰─────────╯    │
     │         ▼
     │    ╭ Fail ───╮
     │    │  Sorry  │
     │    ╰─────────╯
     ╰─────────┤
               ▼
               ◉
""".splitlines()
# -- in a terminal ------------------------------------------------------------------------------------


def test_in_a_terminal() -> None:
    assert plain(drawn(graph_of(SMALL), 80)) == PICTURE


def test_colours_are_pieces_with_styles() -> None:
    rows = drawn(graph_of(SMALL), 80, TAKEN)
    assert rows is not None
    found = {(piece.text.strip(" │"), piece.style) for row in rows for piece in row}
    assert {("✗ E", "red"), ("Sorry", "bold red"), ("! E · 3 attempts", "yellow"), ("E", "yellow")} <= found
    assert {("▼", "blue"), ("▼", "yellow"), ("▼", "dim"), ("Rest", "bold dim")} <= found


@pytest.mark.parametrize("name", MACHINES)
def test_each_row_is_as_wide_as_it_may_be(name: str) -> None:
    rows = drawn(graph_of(MACHINES[name]), 1000)
    wide = max(columns(line) for line in plain(rows))
    assert drawn(graph_of(MACHINES[name]), wide - 4) is None


def test_a_loop_leads_back() -> None:
    lines = plain(drawn(graph_of(SELF), 80))
    assert any("◀" in line for line in lines)
    assert sum("▲" in line for line in plain(drawn(graph_of(MACHINES["loop"]), 100))) == 2


def test_an_outline_where_there_is_no_room() -> None:
    assert plain(outline(graph_of(NESTED))) == [
        "Prepare  Task prepare",
        "  → Fan",
        "Fan  Parallel",
        "  → Each",
        "  catch States.ALL → Cleanup",
        "    branch 0",
        "      A1  Task a1",
        "        → A2",
        "      A2  Wait 30 s",
        "    branch 1",
        "      B1  Choice",
        "        $.v > 10 → B2",
        "        default → B3",
        "      B2  Task b2",
        "      B3  Pass",
        "    branch 2",
        "      Inner  Map",
        "          each item",
        "            Item  Task item",
        "Each  Map distributed",
        "  → end",
        "    each item",
        "      Load  Task load",
        "        catch E → Skip",
        "      Skip  Pass",
        "Cleanup  Task cleanup",
        "  → Broken",
        "Broken  Fail Broken",
        "  → end",
    ]
    assert plain(outline(graph_of(SMALL), TAKEN))[:3] == [
        "Do  Task do  ! E · 3 attempts",
        "  → Rest",
        "  catch E → Sorry",
    ]


# -- in the languages of others -----------------------------------------------------------------------


def test_mermaid() -> None:
    assert mermaid(graph_of(SMALL), TAKEN).splitlines() == [
        "flowchart TD",
        '  start((" "))',
        '  s2["Do<br/>Task · do"]',
        '  s3["Rest<br/>Pass"]',
        '  s4(["Sorry<br/>Fail · E"])',
        '  stop(((" ")))',
        "  start ==> s2",
        "  s2 --> s3",
        '  s2 ==>|"E"| s4',
        "  s3 --> stop",
        f'  s4 ==>|"{TIMES} 2"| stop',
        "  classDef caught stroke:#b45309,stroke-width:2px",
        "  class s2 caught",
        "  classDef not-reached stroke-dasharray:4 3",
        "  class s3 not-reached",
        "  classDef failed stroke:#b42318,stroke-width:2px",
        "  class s4 failed",
    ]


def test_mermaid_with_states_in_states() -> None:
    text = mermaid(graph_of(NESTED))
    assert text.count("subgraph ") == text.count("  end\n") == 3 + 5  # states that hold others, and scopes
    assert 's3["Each' not in text


def test_no_name_is_syntax_for_mermaid() -> None:
    for line in mermaid(graph_of(HOSTILE)).splitlines():
        for text in re.findall(r'"((?:[^"])*)"', line):
            assert not set(text.replace("<br/>", "")) & set('"<>|[](){}`')
    assert "#60;script#62;alert#40;1#41;#60;/script#62;" in mermaid(graph_of(HOSTILE))


def test_dot() -> None:
    assert dot(graph_of(SMALL), "m", TAKEN).splitlines()[3:] == [
        '  s0 [shape=circle, style=filled, fillcolor=black, label="", width=0.2];',
        '  s1 [label="Do\\nTask · do", color="#b45309"];',
        '  s2 [label="Rest\\nPass", color="#b6c0cd"];',
        '  s3 [label="Sorry\\nFail · E", color="#b42318"];',
        '  s4 [shape=doublecircle, style=filled, fillcolor=black, label="", width=0.15];',
        "  s0 -> s1 [penwidth=2];",
        "  s1 -> s2;",
        '  s1 -> s3 [label="E", style=dashed, penwidth=2];',
        "  s2 -> s4;",
        f'  s3 -> s4 [label="{TIMES} 2", penwidth=2];',
        "}",
    ]


def test_dot_ties_edges_to_the_borders_of_clusters() -> None:
    text = dot(graph_of(NESTED), "m")
    assert "[lhead=cluster_s2]" in text
    assert "ltail=cluster_s2, lhead=cluster_s3" in text
    assert text.count("{") == text.count("}")


def test_no_name_is_syntax_for_dot() -> None:
    text = dot(graph_of(HOSTILE), 'm"')
    outside = re.sub(r'"(?:[^"\\]|\\.)*"', '""', text)
    assert "script" not in outside
    assert outside.count('"') % 2 == 0
    assert text.startswith('digraph "m\\"" {')


# -- text ---------------------------------------------------------------------------------------------


def test_what_cannot_be_shown_is_escaped() -> None:
    assert visible("a\x1b[31m\u202eb\ud800") == "a\\x1b[31m\\u202eb\\ud800"
    family = "👩\u200d👧"  # joined by a character that has no width
    assert visible(family) == family


def test_columns_of_wide_and_of_combining_characters() -> None:
    assert [columns(text) for text in ("abc", "家族", "e\u0301", "🚀")] == [3, 4, 1, 2]
    assert cut_columns("家族です", 5) == "家族…"
    assert cut_columns("abc", 3) == "abc"


def test_lines_end_where_a_word_does() -> None:
    assert wrapped("ProcessPaymentOfTheOrder", 6, 9) == ["Process", "PaymentOf", "TheOrder"]
    assert wrapped("a very long text indeed", 4, 2) == ["a very", "long…"]
    assert wrapped("snake_case/with.dots", 5, 9) == ["snake_", "case/", "with.dots"]
    assert wrapped("", 5, 2) == [""]


def test_the_picture_in_the_docs_is_what_the_command_makes() -> None:
    """Write it anew: asl graph statemachines/order.json -o docs/order.svg"""
    picture = Path(__file__).parents[2] / "docs" / "order.svg"
    assert picture.read_text(encoding="utf-8") == svg(graph_of(ORDER), "order")
