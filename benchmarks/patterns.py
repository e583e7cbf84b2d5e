"""How many events a second a set of rules is matched against.

    python benchmarks/patterns.py [--rules 1000] [--seconds 2]

Three sets, each of as many rules as are asked for.  *Own texts*: rules of a hundred sources, told apart by exact
texts and restricted further by every comparison there is.  *One source*: all rules have the same source and detail
type, and are told apart within the detail.  *No texts*: no rule requires an exact text, so each is tried for every
event; this is the worst that a set of rules can be.  Events have two dozen fields, and match a few rules.
"""

from __future__ import annotations

import argparse
import json
import time
from random import Random
from typing import Any

from asl_engine.events.language.patterns import compile_pattern
from asl_engine.events.language.rule_index import RuleIndex

COMPARISONS: list[Any] = [
    {"amount": [{"numeric": [">", 10, "<=", 500]}]},
    {"customer": {"name": [{"prefix": "A"}]}},
    {"path": [{"wildcard": "*/in/*.json"}]},
    {"ip": [{"cidr": "10.0.0.0/8"}]},
    {"state": [{"anything-but": ["closed", "void"]}]},
    {"note": [{"exists": False}]},
    {"$or": [{"amount": [{"numeric": ["<", 5]}]}, {"path": [{"suffix": ".csv"}]}]},
    {"customer": {"tier": [{"equals-ignore-case": "gold"}]}},
]


def rules(kind: str, count: int) -> dict[str, str]:
    """The patterns of a set by their names."""
    made: dict[str, Any] = {}
    for n in range(count):
        more = COMPARISONS[n % len(COMPARISONS)]
        if kind == "own texts":
            made[f"r{n}"] = {"source": [f"app.{n % 100}"], "detail-type": [f"type {n % 7}"], "detail": more}
        elif kind == "one source":
            made[f"r{n}"] = {"source": ["app.0"], "detail-type": ["type 0"], "detail": {"id": [f"id-{n}"], **more}}
        else:
            made[f"r{n}"] = {"detail": {"amount": [{"numeric": ["=", n]}], **more}}
    return {name: json.dumps(pattern) for name, pattern in made.items()}


def events(count: int, ids: int, seed: int = 1) -> list[Any]:
    rng = Random(seed)
    return [
        {
            "version": "0",
            "id": f"{n:032x}",
            "source": f"app.{rng.randrange(100)}",
            "detail-type": f"type {rng.randrange(7)}",
            "account": "123456789012",
            "time": "2023-11-14T22:13:20Z",
            "region": "us-east-1",
            "resources": [],
            "detail": {
                "id": f"id-{rng.randrange(ids)}",
                "amount": rng.randrange(1000),
                "customer": {"name": rng.choice(["Ada", "Bea", "Cid"]), "tier": rng.choice(["Gold", "tin"])},
                "path": f"data/in/{n}.{rng.choice(['json', 'csv'])}",
                "ip": f"10.0.{rng.randrange(4)}.{rng.randrange(200)}",
                "state": rng.choice(["open", "closed"]),
                "items": [{"sku": f"s{k}", "qty": k} for k in range(3)],
            },
        }
        for n in range(count)
    ]


def speed(kind: str, count: int, seconds: float) -> tuple[float, float]:
    """Events a second, and how many rules an event matches."""
    index = RuleIndex({name: compile_pattern(text) for name, text in rules(kind, count).items()})
    given = events(1000, count)
    if kind == "one source":
        given = [event | {"source": "app.0", "detail-type": "type 0"} for event in given]
    matched = sum(len(index.matching(event)) for event in given)
    done, begin = 0, time.perf_counter()
    while (spent := time.perf_counter() - begin) < seconds:
        for event in given[:100]:
            index.matching(event)
        done += 100
    return done / spent, matched / len(given)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rules", type=int, default=1000, metavar="N")
    parser.add_argument("--seconds", type=float, default=2, metavar="S")
    asked = parser.parse_args()
    print(f"{'':12}{'rules':>8}{'events/s':>12}{'matches each':>14}")
    for kind in ("own texts", "one source", "no texts"):
        events_a_second, matched = speed(kind, asked.rules, asked.seconds)
        print(f"{kind:12}{asked.rules:8}{events_a_second:12,.0f}{matched:14.2f}")


if __name__ == "__main__":
    main()
