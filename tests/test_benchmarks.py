"""The benchmarks run, and what they measure is right.  How long it takes is nobody's business here."""

from __future__ import annotations

import asyncio
import math
import os
import subprocess
import sys
from pathlib import Path

import pytest

from asl_engine.console.settings import ConsoleSettings
from benchmarks import cold_start, console, growth, memory, parked, patterns
from benchmarks.__main__ import beside, middle
from benchmarks.endpoint import rate
from benchmarks.peers.found import Served, found
from benchmarks.workloads import WORKLOADS
from tests.server.harness import running

ROOT = Path(__file__).parents[1]


def test_each_workload_comes_to_its_output(tmp_path: Path) -> None:
    alone = [workload._replace(at_once=1) for workload in WORKLOADS]
    distinct = {(workload.text, workload.by_boto3): workload for workload in alone}.values()
    with running(tmp_path / "asl.db") as server:
        rates = Served("asl serve", server.port).measure([*distinct], 0.001)
        assert {name: rate for name, rate in rates.items() if isinstance(rate, str)} == {}
        assert len(rates) == 8
        (first, *_) = distinct
        wrong = first._replace(output={"another": "output"})
        assert asyncio.run(rate(server.port, wrong, 0.001)) == "wrong output"
        fails = first._replace(definition={"StartAt": "F", "States": {"F": {"Type": "Fail", "Error": "E"}}})
        assert asyncio.run(rate(server.port, fails, 0.001)) == "FAILED E"
        invalid = first._replace(definition={})
        assert "InvalidDefinition" in str(asyncio.run(rate(server.port, invalid, 0.001)))


def test_an_open_console_is_measured(tmp_path: Path) -> None:
    with running(tmp_path / "asl.db", console=ConsoleSettings(tmp_path, "0")) as server:
        seen = asyncio.run(console.measure(server.port, pairs=2, requests=10, at_once=2))
    assert (len(seen.without), len(seen.with_page), len(seen.messages)) == (2, 2, 2)
    assert seen.ratio > 0


@pytest.mark.parametrize(("power", "factor"), [(0, 5), (1, 2), (2, 0.1), (-0.5, 3)])
def test_an_exponent_is_that_of_the_power(power: float, factor: float) -> None:
    costs = {size: factor * size**power for size in (10, 100, 1000, 10_000)}
    assert math.isclose(growth.exponent(costs), power, abs_tol=1e-9)


def test_sizes_grow_by_tens() -> None:
    assert growth.sizes(20_000) == [20, 200, 2_000, 20_000]
    assert growth.sizes(25_000, 100) == [250, 2_500, 25_000]
    assert growth.sizes(10) == [10, 100]


def test_growth_is_measured_of_all_operations(capsys: pytest.CaptureFixture[str]) -> None:
    measured = growth.measure(200, 100, 200)
    assert len(measured) == 12
    for one in measured:
        assert all(cost > 0 for cost in one.costs.values())
        assert math.isfinite(one.exponent)
    growth.show(measured)
    shown = capsys.readouterr().out.splitlines()
    assert len(shown) == 13
    assert shown[0].split() == ["operation", "by", "from", "to", "ms", "ms", "exponent"]


def test_the_slope_of_memory_is_what_each_execution_leaves() -> None:
    looks = [30.0, 31.0, 32.0, 40.0, 50.0, *(50 + 2 * number for number in range(5))]
    assert memory.Memory("m", 1000, looks).slope == 2 * 1024 * 1024 / 100
    assert memory.Memory("m", 1000, [40.0] * 10).slope == 0


def test_memory_is_looked_at_ten_times() -> None:
    large = asyncio.run(memory.looked_at(memory.large_machine(), '{"text": "x"}', 20, 4))
    assert len(large) == memory.LOOKS
    assert min(large) > 1


def test_executions_that_wait_are_there_again_after_a_crash(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "asl.toml").touch()
    parked.show(parked.measure(tmp_path, 50, 0))
    shown = capsys.readouterr().out
    assert shown.startswith("50 executions wait: ")
    assert "armed again after kill -9" in shown


def test_the_documented_command_runs() -> None:
    command = [sys.executable, "-m", "benchmarks", "--only", "limits", "--seconds", "0.01"]
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, env=environment)
    assert done.returncode == 0, done.stderr
    for limit in ("fsync of 4 KB", "SQLite, one row per commit, synchronous=FULL", "HTTP calls, 1 caller"):
        assert limit in done.stdout


def test_a_cold_start_is_beside_its_floor(capsys: pytest.CaptureFixture[str]) -> None:
    measured = cold_start.measure(1, peers=False)
    cold_start.show(measured)
    head, floor, *others = capsys.readouterr().out.splitlines()
    assert head.split() == ["from", "a", "cold", "start", "ms", "to", "the", "floor"]
    assert floor.endswith("1.00")
    assert [line.partition(",")[0].rstrip("0123456789. ") for line in others] == ["asl run", "asl serve"]


def test_a_peer_is_named_with_its_port() -> None:
    peers = {peer.name: peer for peer in found(["other=http://127.0.0.1:4566"], None)}
    assert isinstance(peers["other"], Served)
    for text in ("other", "=http://127.0.0.1:1", "other=http://127.0.0.1"):
        with pytest.raises(SystemExit, match="it is NAME=URL"):
            found([text], None)


def test_what_is_no_figure_is_said_instead_of_one() -> None:
    assert middle([{"a": 1.0}, {"a": "wrong output"}, {"a": 3.0}], "a") == 2
    assert middle([{"a": "wrong output"}], "a") == "wrong output"
    assert middle([{}], "a") == "not measured"
    assert beside(200, 100) == "100 (2x)"
    assert beside(200, "wrong output") == "wrong output"
    assert beside("wrong output", 33.33) == "33.3"


def test_the_sets_of_rules_match_some_events() -> None:
    for kind in ("own texts", "one source", "no texts"):
        events_a_second, matched = patterns.speed(kind, 100, 0.01)
        assert events_a_second > 0
        assert 0 < matched < 100
