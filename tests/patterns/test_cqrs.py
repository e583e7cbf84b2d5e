"""The read model of the example, its function and its server killed in turn: nothing is lost or counted twice."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import boto3
import pytest

from asl_engine.dev.definitions import found_in
from asl_engine.emulation.declared import ResourceHome, make_declared
from asl_engine.project.configuration import find_project
from asl_engine.project.declared import with_declared
from tests.resources.moto_server import moto_server

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "examples" / "cqrs"
KEYS = {"aws_access_key_id": "local", "aws_secret_access_key": "local"}
SERVICES = ("dynamodb", "dynamodbstreams", "sqs")
# Orders, each made and changed once; a long form has more of them.
ORDERS = int(os.environ.get("ASL_CQRS_ORDERS", "1"))
PATIENCE_SECONDS = 120
# Before and after each of its writes the process dies once; every fourth time it takes the server along.
DEADLY = """

import os
from pathlib import Path

MARKS = Path(os.environ["MARKS"])


def _deadly(when):
    def die(model, **_):
        mark = MARKS / f"{_now[0]}-{model.name}-{when}"
        if _now[0] and model.name in ("UpdateItem", "TransactWriteItems") and not mark.exists():
            mark.touch()
            if len(list(MARKS.iterdir())) % 4 == 0:
                os.kill(os.getppid(), 9)
            os.kill(os.getpid(), 9)

    return die


def apply(order, apply=apply):
    _now[0] = f"{order['orderId']}-{order['version']}"
    apply(order)
    _now[0] = ""


_now = [""]
db.meta.events.register("before-call.dynamodb", _deadly("before"))
db.meta.events.register("after-call.dynamodb", _deadly("after"))
"""


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    """DynamoDB and SQS that outlive the server, as on AWS."""
    with moto_server() as url:
        yield url


@pytest.fixture
def shop(tmp_path: Path, url: str) -> Path:
    root, marks = tmp_path / "cqrs", tmp_path / "marks"
    marks.mkdir()
    shutil.copytree(EXAMPLE, root, ignore=shutil.ignore_patterns(".asl", "__pycache__", "tests"))
    projection = root / "handlers" / "projection.py"
    projection.write_text(projection.read_text(encoding="utf-8") + DEADLY, encoding="utf-8")
    declared = root / "serverless.yml"
    text = declared.read_text(encoding="utf-8")
    text = text.replace("  environment:\n", f"  environment:\n    MARKS: {marks}\n")
    # Each death is an attempt, and here are more of them than a record would have.
    text = text.replace("maximumRetryAttempts: 2", "maximumRetryAttempts: -1")
    declared.write_text(text, encoding="utf-8")
    endpoints = "".join(f'{service} = "{url}"\n' for service in SERVICES)
    (root / "asl.toml").write_text(f"emulation = false\n[endpoints]\n{endpoints}", encoding="utf-8")
    return root


def make_tables(root: Path, url: str) -> None:
    project = find_project(root, {})
    declared = with_declared(project, found_in(project).templates)
    home = ResourceHome(project.region, project.account)
    made = make_declared(url, declared.resources, home, lambda _: True)
    assert (len(made.made), made.faults) == (5, [])


def server(root: Path) -> subprocess.Popen[bytes]:
    keys = {"AWS_ACCESS_KEY_ID": "local", "AWS_SECRET_ACCESS_KEY": "local", "PYTHONPATH": str(ROOT)}
    with (root / "dev.log").open("ab") as log:
        return subprocess.Popen(
            [sys.executable, "-m", "asl_engine", "dev", "--port", "0", "--http-port", "0"],
            cwd=root,
            env=os.environ | keys,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
        )


@pytest.mark.skipif(os.name == "nt", reason="a process does not end by signals on Windows")
def test_the_function_and_the_server_are_killed_and_the_read_model_is_right(shop: Path, url: str) -> None:
    """For each record, the function dies before and after each write, and every fourth time the server with it."""
    make_tables(shop, url)
    client = boto3.resource("dynamodb", endpoint_url=url, region_name="us-east-1", **KEYS).meta.client
    for number in range(ORDERS):
        order = {"orderId": f"o-{number}", "userId": "ann", "createdAt": f"2024-01-{number + 1:02}"}
        for version in (1, 2):
            items = [{"name": "Lamp", "quantity": version, "unitPriceCents": 100}]
            client.put_item(TableName="Orders", Item=order | {"version": version, "items": items})

    def stats() -> Any:
        row = client.get_item(TableName="UserOrderStats", Key={"userId": "ann"}).get("Item")
        return row and {name: str(value) for name, value in row.items()}

    expected = 2 * ORDERS * 4
    deadline, kills, server_kills = time.monotonic() + PATIENCE_SECONDS * ORDERS, 0, 0
    process = server(shop)
    try:
        while (kills, server_kills) != (expected, expected // 4) or stats().get("totalCents") != str(200 * ORDERS):
            assert time.monotonic() < deadline, (shop / "dev.log").read_text(encoding="utf-8")
            if process.poll() is not None:
                assert process.returncode == -9, (shop / "dev.log").read_text(encoding="utf-8")
                server_kills += 1
                process = server(shop)
            time.sleep(0.05)
            kills = len([*(shop.parent / "marks").iterdir()])
    finally:
        process.kill()
        process.wait()
    assert stats() == {
        "userId": "ann",
        "orderCount": str(ORDERS),
        "totalCents": str(200 * ORDERS),
        "lastOrderDate": f"2024-01-{ORDERS:02}",
    }
    found = client.scan(TableName="Search")["Items"]
    assert {row["orderId"]: int(row["version"]) for row in found} == {f"o-{n}": 2 for n in range(ORDERS)}
