"""The mappings of a project: what its configuration and its templates say of them, checked against AWS's rules.

``[tool.asl.event-source-mappings.NAME]`` has ``function``, ``source`` and members of CreateEventSourceMapping.
"""

from __future__ import annotations

from datetime import datetime
from hashlib import sha256
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from asl_engine.arn import function_arn, function_reference, parse_arn, partition_of, queue_name, uuid_text
from asl_engine.errors import InvalidInput
from asl_engine.findings import did_you_mean
from asl_engine.mappings.filtering import read_filters
from asl_engine.mappings.sources import KINESIS, QUEUE, source_of
from asl_engine.templates.declarations import is_usable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from asl_engine.mappings.filtering import Filters
    from asl_engine.mappings.sources import Source
    from asl_engine.project.configuration import Project
    from asl_engine.templates.declarations import DeclaredMapping

__all__ = [
    "AT_TIMESTAMP",
    "LATEST",
    "MAX_AGE",
    "TRIM_HORIZON",
    "EventSourceMapping",
    "ProjectMappings",
    "project_mappings",
    "read_mappings",
]

MAX_AGE: Final = -1  # no limit: of an age, and of a number of attempts
MIN_RECORD_AGE: Final = 60
QUEUE_BATCH, STREAM_BATCH, MAX_BATCH, MAX_FIFO_BATCH = 10, 100, 10_000, 10
REPORTS: Final = "ReportBatchItemFailures"
TRIM_HORIZON, LATEST, AT_TIMESTAMP = "TRIM_HORIZON", "LATEST", "AT_TIMESTAMP"

# Members of CreateEventSourceMapping, by the kinds of sources that they go with.
EVERYWHERE: Final = (
    "BatchSize",
    "Enabled",
    "FilterCriteria",
    "FunctionResponseTypes",
    "MaximumBatchingWindowInSeconds",
)
OF_QUEUES: Final = ("ProvisionedPollerConfig", "ScalingConfig")
OF_STREAMS: Final = (
    "BisectBatchOnFunctionError",
    "DestinationConfig",
    "MaximumRecordAgeInSeconds",
    "MaximumRetryAttempts",
    "ParallelizationFactor",
    "StartingPosition",
    "StartingPositionTimestamp",
    "TumblingWindowInSeconds",
)
WITHOUT_EFFECT: Final = ("KMSKeyArn", "LoggingConfig", "MetricsConfig", "Tags")
OF_OTHERS: Final = (
    "AmazonManagedKafkaEventSourceConfig",
    "DocumentDBEventSourceConfig",
    "Queues",
    "SelfManagedEventSource",
    "SelfManagedKafkaEventSourceConfig",
    "SourceAccessConfigurations",
    "Topics",
)
KNOWN: Final = (*EVERYWHERE, *OF_QUEUES, *OF_STREAMS, *WITHOUT_EFFECT)


class EventSourceMapping(NamedTuple):
    """A mapping.  Times are in milliseconds; ``place`` is the file and the key that configure it.

    ``retries`` and ``max_age`` are -1 where there is no limit; ``concurrency`` is None for the default.
    ``destination`` is the ARN of where a discarded batch is told of.  ``starting`` is a StartingPosition, and
    ``starting_at`` its timestamp.
    """

    name: str
    arn: str
    function: str
    source: Source
    batch_size: int
    filters: Filters
    window: int = 0
    reports: bool = False
    enabled: bool = True
    concurrency: int | None = None
    retries: int = MAX_AGE
    max_age: int = MAX_AGE
    bisect: bool = False
    factor: int = 1
    destination: str | None = None
    starting: str = TRIM_HORIZON
    starting_at: int | None = None
    place: str = ""


class ProjectMappings(NamedTuple):
    """The mappings of a project; ``left_out`` says what of those of templates cannot be run."""

    mappings: Sequence[EventSourceMapping] = ()
    left_out: Sequence[str] = ()


class _Members:
    """The members of a mapping, each checked when it is read."""

    def __init__(self, members: Mapping[str, Any], place: str) -> None:
        self._members = members
        self._place = place

    def fail(self, key: str, why: str) -> InvalidInput:
        return InvalidInput(f"{self._place}.{key}: {why}" if key else f"{self._place}: {why}")

    def given(self, key: str) -> Any:
        return self._members.get(key)

    def number(self, key: str, default: int, low: int, high: int, *, also: int | None = None) -> int:
        value = self.given(key)
        if value is None:
            return default
        if isinstance(value, str) and value.lstrip("-").isdigit():  # in a template, a number may be a text
            value = int(value)
        if type(value) is not int or not (low <= value <= high or value == also):
            more = "" if also is None else f", or {also} for no limit"
            raise self.fail(key, f"it has to be a whole number from {low} to {high}{more}; it is {value!r}")
        return value

    def flag(self, key: str, *, default: bool) -> bool:
        value = self.given(key)
        value = default if value is None else {"true": True, "false": False}.get(value, value)
        if not isinstance(value, bool):
            raise self.fail(key, f"it has to be true or false; it is {value!r}")
        return value

    def table(self, key: str, *names: str) -> _Members:
        """A member that is a table with some of these members."""
        value = self.given(key)
        if value is None:
            return _Members({}, self._place)
        if not isinstance(value, dict):
            raise self.fail(key, f"it has to be a table with {' and '.join(names)}; it is {value!r}")
        for name in value:
            if name not in names:
                raise self.fail(key, f"there is no {name!r}; there is {' and '.join(names)}")
        return _Members(value, f"{self._place}.{key}")


def project_mappings(project: Project) -> ProjectMappings:
    """The mappings of a project.  Raises ``InvalidInput``."""
    home = (project.region, project.account)
    return read_mappings(project.event_source_mappings, project.mappings, home, str(project.source))


def read_mappings(
    table: Mapping[str, Any],
    declared: Iterable[DeclaredMapping],
    home: tuple[str, str],
    place: str,
) -> ProjectMappings:
    """The mappings of a configuration's table, and those that templates declare; ``home`` is region and account.

    One of the configuration takes the place of a declared one of the same name.  Raises ``InvalidInput`` that
    begins with ``place``, the file, and names the key.  A declared one that cannot be run is left out.
    """
    found = {
        name: _mapping(name, given, home, f"{place}: event-source-mappings.{name}")
        for name, given in table.items()
    }
    left_out = []
    for one in declared:
        if one.logical in found:
            continue
        without = f": the mapping {one.logical} is left out"
        if one.findings:
            told = f"{one.location}: {'; '.join(finding.message for finding in one.findings)}"
            left_out.append(told if is_usable(one) else told + without)
        if not is_usable(one):
            continue
        given = {**one.properties, "function": one.function, "source": one.source}
        try:
            found[one.logical] = _mapping(one.logical, given, home, one.location)
        except InvalidInput as error:
            left_out.append(f"{error}{without}")
    return ProjectMappings([*found.values()], left_out)


def _mapping(name: str, given: Any, home: tuple[str, str], place: str) -> EventSourceMapping:
    if not isinstance(given, dict):
        raise InvalidInput(f"{place} has to be a table with function and source; it is {given!r}")
    members = _Members(given, place)
    function, source = _function(members, home), _source(members, home)
    _check_keys(members, given, source)
    made = _of_queue(members, source) if source.kind == QUEUE else _of_stream(members, source)
    try:
        filters = read_filters(source.kind, members.given("FilterCriteria"))
    except InvalidInput as error:
        raise members.fail("", str(error)) from None
    return EventSourceMapping(
        name,
        mapping_arn(*home, name),
        function,
        source,
        filters=filters,
        reports=_reports(members),
        enabled=members.flag("Enabled", default=True),
        place=place,
        **made,
    )


def mapping_arn(region: str, account: str, name: str) -> str:
    """The ARN of a mapping: the same for the same name."""
    unique = uuid_text(sha256(f"{region} {account} {name}".encode()).digest())
    return f"arn:{partition_of(region)}:lambda:{region}:{account}:event-source-mapping:{unique}"


def _function(members: _Members, home: tuple[str, str]) -> str:
    function = members.given("function")
    if not isinstance(function, str) or function_reference(function) is None:
        raise members.fail("function", f"it has to be the name or the ARN of a function; it is {function!r}")
    return function_arn(*home, function)


def _source(members: _Members, home: tuple[str, str]) -> Source:
    source = members.given("source")
    if not isinstance(source, str):
        raise members.fail("source", f"it has to be a text, such as queue:orders; it is {source!r}")
    try:
        return source_of(source, *home)
    except InvalidInput as error:
        raise members.fail("source", str(error)) from None


def _check_keys(members: _Members, given: Mapping[str, Any], source: Source) -> None:
    known = ("function", "source", *KNOWN)
    for key in given:
        if key in OF_OTHERS:
            raise members.fail(key, "it goes with Kafka, MQ and DocumentDB, which cannot be polled here")
        if key not in known:
            raise members.fail(
                key, f"there is no such key{did_you_mean(key, known)}; there are {', '.join(known)}"
            )
        if key in OF_STREAMS and source.kind == QUEUE:
            hint = ": a queue has a redrive policy of its own" if key == "DestinationConfig" else ""
            raise members.fail(key, f"it is for streams, and {source.arn} is a queue{hint}")
        if key in OF_QUEUES and source.kind != QUEUE:
            raise members.fail(key, f"it is for queues, and {source.arn} is a stream")


def _reports(members: _Members) -> bool:
    types = members.given("FunctionResponseTypes")
    if types is None or types == []:
        return False
    if types != [REPORTS]:
        raise members.fail("FunctionResponseTypes", f'it can be ["{REPORTS}"]; it is {types!r}')
    return True


def _of_queue(members: _Members, source: Source) -> dict[str, Any]:
    most = MAX_FIFO_BATCH if source.is_fifo else MAX_BATCH
    size = members.number("BatchSize", QUEUE_BATCH, 1, most)
    window = members.number("MaximumBatchingWindowInSeconds", 0, 0, 300)
    if source.is_fifo and window:
        raise members.fail("MaximumBatchingWindowInSeconds", f"it is not for FIFO queues, as {source.arn} is one")
    if size > QUEUE_BATCH and not window:
        raise members.fail(
            "BatchSize", f"more than {QUEUE_BATCH} need a MaximumBatchingWindowInSeconds of at least 1"
        )
    scaling = members.table("ScalingConfig", "MaximumConcurrency")
    concurrency = scaling.number("MaximumConcurrency", 0, 2, 1000) or None
    if concurrency and members.given("ProvisionedPollerConfig") is not None:
        raise members.fail("ScalingConfig", "it does not go with ProvisionedPollerConfig")
    return {"batch_size": size, "window": window * 1000, "concurrency": concurrency}


def _of_stream(members: _Members, source: Source) -> dict[str, Any]:
    starting = members.given("StartingPosition")
    allowed = (TRIM_HORIZON, LATEST, AT_TIMESTAMP) if source.kind == KINESIS else (TRIM_HORIZON, LATEST)
    if starting not in allowed:
        only = f"; {AT_TIMESTAMP} is for Kinesis" if starting == AT_TIMESTAMP else ""
        raise members.fail(
            "StartingPosition", f"it has to be one of {', '.join(allowed)}; it is {starting!r}{only}"
        )
    at = members.given("StartingPositionTimestamp")
    if (at is None) == (starting == AT_TIMESTAMP):
        raise members.fail("StartingPositionTimestamp", f"it goes with the StartingPosition {AT_TIMESTAMP}, only")
    if members.number("TumblingWindowInSeconds", 0, 0, 900):
        raise members.fail(
            "TumblingWindowInSeconds",
            "windows with a state are not run here; without it, the function gets each batch by itself",
        )
    age = members.number("MaximumRecordAgeInSeconds", MAX_AGE, MIN_RECORD_AGE, 604_800, also=MAX_AGE)
    return {
        "batch_size": members.number("BatchSize", STREAM_BATCH, 1, MAX_BATCH),
        "window": members.number("MaximumBatchingWindowInSeconds", 0, 0, 300) * 1000,
        "retries": members.number("MaximumRetryAttempts", MAX_AGE, 0, 10_000, also=MAX_AGE),
        "max_age": age if age == MAX_AGE else age * 1000,
        "bisect": members.flag("BisectBatchOnFunctionError", default=False),
        "factor": members.number("ParallelizationFactor", 1, 1, 10),
        "destination": _destination(members),
        "starting": starting,
        "starting_at": None if at is None else _moment(at, members.fail),
    }


def _destination(members: _Members) -> str | None:
    config = members.table("DestinationConfig", "OnFailure", "OnSuccess")
    if config.given("OnSuccess"):
        raise config.fail("OnSuccess", "it is for asynchronous calls of a function, and not for its mappings")
    arn = config.table("OnFailure", "Destination").given("Destination")
    if arn is None:
        return None
    found = parse_arn(arn) if isinstance(arn, str) else None
    if found is None or not (queue_name(arn) or found.service in {"sns", "s3"}):
        raise config.fail(
            "OnFailure.Destination", f"it has to be the ARN of a queue, a topic or a bucket; it is {arn!r}"
        )
    if arn.endswith(".fifo"):
        raise config.fail("OnFailure.Destination", f"{arn} is FIFO, and a destination cannot be")
    return str(arn)


def _moment(given: Any, fail: Callable[[str, str], InvalidInput]) -> int:
    """Milliseconds since the epoch of a timestamp: seconds, or a date with its offset."""
    if isinstance(given, int | float) and not isinstance(given, bool):
        return int(given * 1000)
    try:
        at = given if isinstance(given, datetime) else datetime.fromisoformat(given)
    except (TypeError, ValueError):
        at = None
    if at is None or at.tzinfo is None:
        raise fail(
            "StartingPositionTimestamp",
            f"it has to be seconds since 1970, or a time such as 2026-01-31T12:00:00Z; it is {given!r}",
        )
    return int(at.timestamp() * 1000)
