"""An execution as one HTML page."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from typing import Any

import pytest

from asl_engine.graph.overlay import TIMES
from asl_engine.views.page import MAX_TEXT, page
from asl_engine.views.redaction import HIDDEN, Redaction
from tests.core.steps import catch, each, retry, scope, state, task, wait
from tests.graph.machines import DISTRIBUTED
from tests.views.accounts import account_of

VOID = {"meta", "link", "br", "hr", "img", "input"}


class Reader(HTMLParser):
    """The elements, their attributes and the text; and whether each is closed."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.text = ""
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] not in {"style", "title"}:
            self.text += data

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.elements if name == tag]


def read(definition: dict[str, Any], data: Any = None, *, redact: tuple[str, ...] = (), **how: Any) -> Reader:
    return Reader(page(account_of(definition, data, **how), Redaction(redact), "1.2.3"))


ORDER = scope(
    Check=state("Pass", Next="Pay"),
    Pay=task(Retry=retry(IntervalSeconds=2, MaxAttempts=1), Catch=catch("Sorry", "F"), Next="Rest"),
    Rest=wait(9),
    Sorry=state("Fail", Error="Sorry", Cause="it is over"),
)


def test_it_needs_nothing_else() -> None:
    shown = read(ORDER, {"fails": ["E", "F"]})
    assert shown.open == []
    assert {tag for tag, _ in shown.elements}.isdisjoint(
        {"script", "link", "img", "iframe", "object", "form", "base"}
    )
    for _, attributes in shown.elements:
        assert not [name for name in attributes if name.startswith("on") or name in {"src", "style"}]
        link = attributes.get("href")
        assert link is None or link.startswith("#")
    policy = next(
        one["content"] for one in shown.all("meta") if one.get("http-equiv") == "Content-Security-Policy"
    )
    assert policy is not None
    assert policy.startswith("default-src 'none'")
    assert "script-src" not in policy


def test_graph_timeline_and_data() -> None:
    shown = read(ORDER, {"fails": ["E", "F"], "orderId": "o-1"})
    graph = {one.get("data-state"): one["class"] for one in shown.all("g") if one.get("data-state")}
    assert graph == {
        "Check": "node type-Pass succeeded",
        "Pay": "node type-Task caught",
        "Rest": "node type-Wait not-reached",
        "Sorry": "node type-Fail failed",
    }
    bars = [one["class"] for one in shown.all("rect") if str(one.get("class")).startswith("bar") and "x" in one]
    assert bars == ["bar work", "bar failed", "bar backoff", "bar failed", "bar failed"]
    for text in (
        "m · one",
        "FAILED in 4.00 s",
        "F",
        "it is over",
        '"orderId": "o-1"',
        "attempt 2: f",
        "asl-engine 1.2.3",
    ):
        assert text in shown.text


def test_every_link_leads_to_a_state() -> None:
    shown = read(ORDER, {"fails": ["F"]})
    anchors = {f"#{one['id']}" for _, one in shown.elements if one.get("id")}
    links = {one["href"] for one in shown.all("a")}
    assert len(links) == 3
    assert links <= anchors


HOSTILE = "</style><script>alert('x')</script><img src=x onerror=y> \u202e &amp; مرحبا 🚀"


def test_nothing_of_theirs_is_markup() -> None:
    machine = scope(
        **{HOSTILE[:79]: task(Catch=catch("end", "Bad")), "end": state("Fail", Error="<b>", Cause=HOSTILE)}
    )
    shown = read(machine, {HOSTILE: [HOSTILE]})
    again = read(machine, "bad")
    for one in (shown, again):
        assert one.open == []
        assert {tag for tag, _ in one.elements}.isdisjoint({"script", "img", "b"})
        assert "<script>alert('x')</script>" in one.text
        assert "\u202e" not in one.text
        assert "\\u202e" in one.text


def test_secrets_are_left_out() -> None:
    data = {"paymentToken": "tok_9", "user": "u-42", "note": "password=hunter2"}
    shown = read(ORDER, data, redact=(r"u-\d+",))
    for secret in ("tok_9", "hunter2", "u-42"):
        assert secret not in shown.text
    assert f'"paymentToken": "{HIDDEN}"' in shown.text
    assert re.search(r"[1-9]\d* values were redacted", shown.text)
    assert "Nothing was redacted" in read(scope(P=state("Pass"))).text


def test_a_large_payload_is_cut() -> None:
    shown = read(scope(P=state("Pass")), {"text": "x" * 100_000})
    assert "cut: 100," in shown.text
    assert shown.text.count("x") < 5 * MAX_TEXT


def test_a_history_of_25_000_events_is_folded() -> None:
    inner = scope(A=state("Pass", Next="B"), B=state("Pass"))
    machine = scope(Each=each(inner))
    items = [{"n": number, "text": "y" * 50} for number in range(4100)]
    account = account_of(machine, items)
    assert account.execution.history_length > 24_000
    text = page(account, Redaction(), "1")
    assert len(text) < 600_000
    shown = Reader(text)
    assert len(shown.all("details")) < 100
    assert "4,075 of its 4,100 visits are left out" in shown.text
    assert f"each item {TIMES} 4,100" in shown.text
    assert "and 4,097 more: 4,097 succeeded" in shown.text


def test_all_data_together_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("asl_engine.views.page.MAX_DATA", 10_000)
    texts = {f"S{n}": state("Pass", Result=f"{n:03}" * 300, Next=f"S{n + 1}") for n in range(50)}
    shown = read(scope(**texts, S50=state("Pass")))
    assert 8_000 < sum(len(text) for text in re.findall(r"(?:\d{3}){50,}", shown.text)) <= 10_000
    assert shown.text.count("cut: 902 characters in all") > 50


def test_a_failed_visit_beyond_the_first_is_shown() -> None:
    machine = scope(Each=each(scope(Item=task()), MaxConcurrency=1))
    shown = read(machine, [*range(40), "bad", *range(5)])
    assert "visit 41 of 41: ✗ failed" in " ".join(shown.text.split())


@pytest.mark.parametrize("how", [{"still": True}, {"redriven": True}], ids=["running", "redriven"])
def test_whatever_it_stands_at(how: dict[str, Any]) -> None:
    shown = read(ORDER, {"fails": ["G", "G", "G"]}, **how)
    assert shown.open == []
    assert ("redriven once" in shown.text) == ("redriven" in how)


def test_children_of_a_map_run() -> None:
    processor = {
        **scope(
            Item=task(),
        ),
        "ProcessorConfig": DISTRIBUTED,
    }
    machine = scope(Each=each(processor, Label="each", ToleratedFailureCount=9))
    shown = read(machine, [*range(20), "bad"], children=5)
    graph = {one.get("data-state"): one["class"] for one in shown.all("g") if one.get("data-state")}
    assert graph == {"Each": "node type-Map box succeeded", "Item": "node type-Task failed"}
    assert shown.text.count("child ") >= 3
    assert "Not counted: 16 more children of Each." in shown.text
    assert re.search(r"and 1[78] more: 1[78] succeeded", shown.text)
