"""Counts and durations of executions, states and tasks, in the text format that Prometheus reads.

https://prometheus.io/docs/instrumenting/exposition_formats/ and, for the names, /docs/practices/naming/.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from asl_engine.arn import event_resource
from asl_engine.errors import ProjectError
from asl_engine.practice.moments import (
    MILLISECONDS,
    AttemptEnded,
    Following,
    RetryDue,
    RunEnded,
    RunStarted,
)
from asl_engine.store.bus_records import PENDING

try:
    from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
    from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
except ImportError:
    raise ProjectError('metrics need prometheus-client: pip install "asl-engine[metrics]"') from None

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from asl_engine.core.events import Event
    from asl_engine.engine.engine import Engine
    from asl_engine.engine.run import Run
    from asl_engine.mappings.running import MappingRunner
    from asl_engine.store.bus_records import Backlog
    from asl_engine.store.mapping_records import MappingRecord

__all__ = ["CONTENT_TYPE", "ServerMetrics"]

CONTENT_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"
TASK_SECONDS: Final = (0.005, 0.025, 0.1, 0.5, 1, 5, 30, 120, 900)
EXECUTION_SECONDS: Final = (0.01, 0.1, 1, 10, 60, 600, 3600, 86_400)


class ServerMetrics:
    """``observe`` takes events once they are stored; ``text`` is what a scrape gets.

    What is counted begins with the process.  ``engine`` is asked for what there is at the moment of a scrape.
    """

    def __init__(self) -> None:
        self.engine: Engine | None = None
        self.backlog: Sequence[Backlog] = ()  # of event buses, as it was last read
        self.mappings: Sequence[MappingRecord] = ()  # likewise
        self.polling: MappingRunner | None = None
        self._following = Following()
        registry = self._registry = CollectorRegistry()
        machine, state = ("state_machine",), ("state_machine", "state")
        self._started = Counter(
            "asl_executions_started", "Executions that were started or redriven.", machine, registry=registry
        )
        self._ended = Counter(
            "asl_executions_ended", "Executions that ended.", (*machine, "status"), registry=registry
        )
        self._lasted = Histogram(
            "asl_execution_duration_seconds",
            "From the start of an execution to its end.",
            machine,
            registry=registry,
            buckets=EXECUTION_SECONDS,
        )
        self._attempts = Counter(
            "asl_task_attempts_ended", "Attempts at tasks that ended.", (*state, "outcome"), registry=registry
        )
        self._took = Histogram(
            "asl_task_attempt_duration_seconds",
            "From when an attempt at a task was scheduled to its end.",
            state,
            registry=registry,
            buckets=TASK_SECONDS,
        )
        self._retries = Counter(
            "asl_retries_scheduled", "Retries that a Retry field asked for.", state, registry=registry
        )
        registry.register(_Now(self))

    def observe(self, run: Run, events: list[Event]) -> None:
        machine = run.execution.identity.machine_name
        for moment in self._following.moments(run, events):
            if isinstance(moment, AttemptEnded):
                self._attempts.labels(machine, moment.state, moment.outcome).inc()
                self._took.labels(machine, moment.state).observe(moment.seconds)
            elif isinstance(moment, RetryDue):
                self._retries.labels(machine, moment.state).inc()
            elif isinstance(moment, RunStarted):
                self._started.labels(machine).inc()
            else:
                assert isinstance(moment, RunEnded)  # noqa: S101  for the type checker
                self._ended.labels(machine, moment.status).inc()
                self._lasted.labels(machine).observe(moment.seconds)

    def text(self) -> bytes:
        """In the text format.  To be called on the event loop, like ``observe``."""
        return generate_latest(self._registry)


class _Now:
    """What there is at this moment."""

    def __init__(self, metrics: ServerMetrics) -> None:
        self._metrics = metrics

    def describe(self) -> list[Any]:
        """Nothing is collected when the collector is registered."""
        return []

    def collect(self) -> Iterator[Metric]:
        engine = self._metrics.engine
        if engine is None:
            return
        running = GaugeMetricFamily(
            "asl_executions_running", "Executions that this process drives.", labels=["state_machine"]
        )
        for machine, number in _counted(engine).items():
            running.add_metric([machine], number)
        yield running
        yield GaugeMetricFamily(
            "asl_executions_stuck",
            "Executions whose events wait for the database.",
            value=len(engine.retrying.stuck),
        )
        waiting = GaugeMetricFamily(
            "asl_activity_tasks_waiting", "Tasks that wait for a worker.", labels=["activity"]
        )
        polling = GaugeMetricFamily(
            "asl_activity_workers_polling", "Workers that wait for a task.", labels=["activity"]
        )
        for activity, tasks, workers in engine.activities.lengths():
            waiting.add_metric([activity], tasks)
            polling.add_metric([activity], workers)
        yield waiting
        yield polling
        yield from _backlog(self._metrics.backlog, engine.clock.now())
        yield from _mappings(self._metrics.mappings, self._metrics.polling)


def _backlog(found: Sequence[Backlog], now: int) -> Iterator[GaugeMetricFamily]:
    labels = ["rule", "target"]
    pending = GaugeMetricFamily(
        "asl_event_deliveries_pending", "Deliveries of events that are to be made.", labels=labels
    )
    oldest = GaugeMetricFamily(
        "asl_event_deliveries_oldest_seconds", "How long the oldest of them has waited.", labels=labels
    )
    dead = GaugeMetricFamily(
        "asl_event_dead_letters", "Deliveries of events that were given up and are kept.", labels=labels
    )
    for one in found:
        resource = event_resource(one.rule_arn)
        names = [one.rule_arn if resource is None else resource[1], one.target]
        if one.status == PENDING:
            pending.add_metric(names, one.number)
            oldest.add_metric(names, max(0, now - one.oldest) / MILLISECONDS)
        else:
            dead.add_metric(names, one.number)
    yield from (pending, oldest, dead)


def _mappings(found: Sequence[MappingRecord], polling: MappingRunner | None) -> Iterator[Metric]:
    label = ["mapping"]
    records = CounterMetricFamily(
        "asl_mapping_records",
        "Records of a source: processed, failed, discarded, or filtered out.",
        labels=[*label, "outcome"],
    )
    flying = GaugeMetricFamily(
        "asl_mapping_records_in_flight", "Records that a function has at this moment.", labels=label
    )
    waiting = GaugeMetricFamily(
        "asl_mapping_backlog", "Messages that wait in the queue, about as many.", labels=label
    )
    age = GaugeMetricFamily(
        "asl_mapping_iterator_age_seconds",
        "How old the last record of a stream was when it was read.",
        labels=label,
    )
    for one in found:
        for outcome in ("processed", "failed", "discarded", "filtered"):
            records.add_metric([one.name, outcome], one.tally.get(outcome) or 0)
        if one.tally.get("backlog") is not None:
            waiting.add_metric([one.name], one.tally["backlog"])
        if one.tally.get("iteratorAge") is not None:
            age.add_metric([one.name], one.tally["iteratorAge"] / MILLISECONDS)
    for status in () if polling is None else polling.status():
        flying.add_metric([status.name], status.in_flight)
    yield from (records, flying, waiting, age)


def _counted(engine: Engine) -> dict[str, int]:
    counts: dict[str, int] = {}
    for run in engine.runs.values():
        name = run.execution.identity.machine_name
        counts[name] = counts.get(name, 0) + 1
    return counts
