"""Answers of AWS about one execution: from the files that the AWS CLI and the console write, or asked for."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

from asl_engine.errors import InvalidInput
from asl_engine.json_text import JsonSyntaxError, loads
from asl_engine.project.inputs import read_text

if TYPE_CHECKING:
    from collections.abc import Iterator

    from asl_engine.cloud.client import Aws

__all__ = ["AwsAnswers", "ChildAnswers", "answers_in", "ask", "ask_for_children", "history_of"]

PAGE = 1000
EVENTS = ("events", "history", "executionHistory")


class AwsAnswers(NamedTuple):
    """``described`` is DescribeExecution's answer and ``events`` GetExecutionHistory's.

    ``definition`` is the text of the definition that the execution ran, None where the answers do not have it.
    """

    described: dict[str, Any]
    events: list[dict[str, Any]]
    definition: str | None


class ChildAnswers(NamedTuple):
    """A child of a Map Run, with its number there and its number of items."""

    answers: AwsAnswers
    map_run: str
    number: int
    items: int


def answers_in(file: str, description: str | None) -> AwsAnswers:
    """The history in a file, and if it is in another one, the description of the execution.

    The history is what `aws stepfunctions get-execution-history` writes, or the list of its events; it may be a
    member of a larger object, as in what the console exports.  Raises ``InvalidInput``.
    """
    document = _read(file, "the history")
    described = _read(description, "the description") if description is not None else document
    if not isinstance(described, dict):
        described = {}
    inner = described.get("execution", described.get("executionDetails"))
    described = inner if isinstance(inner, dict) else described
    if description is not None and "executionArn" not in described:
        raise InvalidInput(
            f"{description}: it has no executionArn: give what `aws stepfunctions describe-execution` writes"
        )
    events = document if isinstance(document, list) else _member(document, EVENTS)
    if not isinstance(events, list):
        raise InvalidInput(
            f"{file}: it has no list of events: give what `aws stepfunctions get-execution-history` writes"
        )
    definition = described.get("definition")
    return AwsAnswers(described, events, definition if isinstance(definition, str) else None)


def _read(file: str, what: str) -> Any:
    text = read_text(file, what)
    try:
        return loads(text)
    except JsonSyntaxError as error:
        raise InvalidInput(f"{file}:{error.line}:{error.column}: {what} is not JSON: {error.message}") from None


def _member(document: Any, names: tuple[str, ...]) -> Any:
    found = (document[name] for name in names if isinstance(document, dict) and name in document)
    return next(found, None)


def ask(aws: Aws, arn: str) -> AwsAnswers:
    """Ask Step Functions about an execution.  Raises ``AwsError``, ``InvalidInput`` for one that goes on."""
    from asl_engine.cloud.client import explained

    with explained(f"look at the execution {arn}"):
        described = aws.states.describe_execution(executionArn=arn)
    if described["status"] in {"RUNNING", "PENDING_REDRIVE"}:
        raise InvalidInput(f"the execution {arn} has not ended: import it when it has")
    with explained(f"read the definition of {arn}"):
        definition = aws.states.describe_state_machine_for_execution(executionArn=arn)["definition"]
    return AwsAnswers(described, history_of(aws, arn), definition)


def history_of(aws: Aws, arn: str) -> list[dict[str, Any]]:
    """The events of an execution so far, as boto3 gives them.  Raises ``AwsError``."""
    from asl_engine.cloud.client import explained
    from asl_engine.cloud.deploy.changes import pages

    read = partial(aws.states.get_execution_history, executionArn=arn, maxResults=PAGE)
    with explained(f"read the history of {arn}"):
        return [event for page in pages(read) for event in page["events"]]


def ask_for_children(aws: Aws, map_runs: list[str]) -> Iterator[ChildAnswers]:
    """The children of Map Runs, the oldest first, without Express children: AWS keeps no history of them."""
    from asl_engine.arn import is_express
    from asl_engine.cloud.client import explained
    from asl_engine.cloud.deploy.changes import pages

    for map_run in map_runs:
        with explained(f"list the executions of {map_run}"):
            listed = [
                one
                for page in pages(partial(aws.states.list_executions, mapRunArn=map_run, maxResults=PAGE))
                for one in page["executions"]
            ]
        for number, one in enumerate(sorted(listed, key=lambda one: (one["startDate"], one["name"]))):
            if not is_express(one["executionArn"]):
                yield ChildAnswers(ask(aws, one["executionArn"]), map_run, number, one.get("itemCount", 1))
