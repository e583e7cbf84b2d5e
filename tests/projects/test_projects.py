"""Projects as sam init, cdk synth, serverless create and a plan of Terraform leave them: each runs unchanged."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

import asl_engine
from asl_engine.cli import main
from asl_engine.testing import Workflow
from tests.cli.project import Result, wait_for

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

HERE = Path(__file__).parent
LINT = "from cfnlint.runner import main; main()"
ITEMS = [{"cents": 100, "quantity": 3}]
SQS = "https://sqs.us-east-1.amazonaws.com/123456789012"


class Case(NamedTuple):
    """A machine of a project, by what a command is given; ``name`` is the machine's here."""

    project: str
    machine: str
    name: str
    given: Any
    output: Any
    substitutions: Mapping[str, str] = {}
    path: tuple[str, ...] = ()


CASES = {
    "SAM": Case(
        "sam",
        "template.yaml#OrderMachine",
        "orders-dev",
        {"items": ITEMS},
        {
            "items": ITEMS,
            "stage": "dev",
            "table": "OrderTable",
            "tableArn": "arn:aws:dynamodb:us-east-1:123456789012:table/OrderTable",
            "cents": 360,
            "memory": "256",
            "charged": 360,
            "chargedBy": "charge-dev",
            "megabytes": "512",
            "status": "SHIPPED",
            "queue": f"{SQS}/ParcelQueue",
        },
        path=("Validate", "Charge", "Ship"),
    ),
    "SAM, by its name in another stage, with an error of a handler": Case(
        "sam",
        "template.yaml#orders-prod",
        "orders-prod",
        {"items": []},
        {"status": "REFUSED", "why": "EmptyOrder"},
        {"Stage": "prod"},
        ("Validate", "Refuse"),
    ),
    "SAM, a definition in the template": Case(
        "sam",
        "template.yaml#ShippingMachine",
        "ShippingMachine",
        {"id": 1},
        {"id": 1, "status": "SHIPPED", "queue": f"{SQS}/ParcelQueue"},
    ),
    "CloudFormation, the only machine": Case(
        "cloudformation",
        "template.json",
        "project-dev",
        {"cents": 100},
        {
            "cents": 100,
            "carrier": "snail",
            "mode": "trial",
            "bus": "orders-bus",
            "nothing": None,
            "status": "CARRIED",
        },
        path=("Check", "Carry"),
    ),
    "CloudFormation, with other parameters": Case(
        "cloudformation",
        "template.json#Orders",
        "shop-prod",
        {"cents": 100_000},
        {
            "cents": 100_000,
            "carrier": "owl",
            "mode": "real",
            "bus": "orders-bus",
            "nothing": "x",
            "status": "CARRIED",
        },
        {"Stage": "prod", "AWS::StackName": "shop", "Carriers": "owl,pigeon"},
    ),
    "CDK, by its construct": Case(
        "cdk",
        "cdk.out#OrderMachine",
        "OrderMachine6C0D1A2B",
        {"cents": 1250},
        {"cents": 1250, "table": "orders", "region": "us-east-1", "charged": "12.50 EUR", "status": "CHARGED"},
        path=("Check", "Charge"),
    ),
    "CDK, by its name, with a definition that is an asset": Case(
        "cdk", "cdk.out#refunds", "refunds", {}, {"status": "REFUNDED", "by": "refund"}
    ),
    "CDK, by a template of the assembly and the construct's path": Case(
        "cdk",
        "cdk.out/OrdersStack.template.json#OrdersStack/RefundMachine",
        "refunds",
        {},
        {"status": "REFUNDED", "by": "refund"},
    ),
    "Serverless": Case(
        "serverless",
        "serverless.yml#order",
        "orders-dev-order",
        {"cents": 1250},
        {
            "cents": 1250,
            "table": "orders-dev-orders",
            "queue": f"{SQS}/orders-dev-parcels",
            "charged": "12.50 EUR",
            "chargedBy": "orders-dev-charge-card",
            "from": "nobody@example.com",
            "status": "NOTIFIED",
        },
        path=("Create", "Charge", "Notify"),
    ),
    "Serverless, another stage": Case(
        "serverless",
        "serverless.yml#order",
        "orders-prod-order",
        {"cents": 60_000},
        {
            "cents": 60_000,
            "table": "orders-prod-orders",
            "queue": f"{SQS}/orders-prod-parcels",
            "charged": "600.00 USD",
            "chargedBy": "orders-prod-charge-card",
            "from": "shop@example.com",
            "status": "NOTIFIED",
        },
        {"opt:stage": "prod", "env:ORDERS_MAIL_SENDER": "shop@example.com"},
    ),
    "Serverless, a definition in a file of its own": Case(
        "serverless", "serverless.yml#reminder", "reminder", {"id": 1}, {"id": 1}
    ),
    "Terraform": Case(
        "terraform",
        "plan.json#order",
        "orders-dev",
        {"id": 1},
        {
            "id": 1,
            "stage": "dev",
            "table": "orders-dev",
            "status": "PACKED",
            "grams": 250,
            "megabytes": "512",
        },
        path=("Check", "Pack"),
    ),
    "Terraform, a definition that the plan does not know": Case(
        "terraform",
        "plan.json#aws_sfn_state_machine.refund",
        "refunds-dev",
        {"id": 1},
        {"id": 1, "stage": "dev", "table": "orders-dev"},
        {
            "aws_sfn_state_machine.refund.definition": "refund.asl.json.tftpl",
            "check": "arn:aws:lambda:eu-central-1:210987654321:function:orders-dev-check",
        },
    ),
}


@pytest.fixture
def asl(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Callable[..., Result]:
    """A command in this process."""
    monkeypatch.setattr(sys, "path", list(sys.path))

    def command(*arguments: str) -> Result:
        capfd.readouterr()
        with pytest.raises(SystemExit) as ended:
            main(list(arguments))
        assert isinstance(ended.value.code, int)
        return Result(ended.value.code, *capfd.readouterr())

    return command


@pytest.fixture
def copied(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], Path]:
    """A copy of a project, which becomes the current directory."""
    monkeypatch.delenv("ASL_DB", raising=False)
    monkeypatch.delenv("ORDERS_MAIL_SENDER", raising=False)

    def copy(project: str) -> Path:
        root = tmp_path / "project"
        shutil.copytree(HERE / project, root, ignore=shutil.ignore_patterns("__pycache__"))
        monkeypatch.chdir(root)
        return root

    return copy


def contents(root: Path) -> dict[str, str]:
    """What is in the files of a project, without what running it leaves."""
    return {
        str(path.relative_to(root)): sha256(path.read_bytes()).hexdigest()
        for path in sorted(root.rglob("*"))
        if path.is_file() and not {".asl", "__pycache__"} & {*path.relative_to(root).parts}
    }


def options(case: Case) -> list[str]:
    return [part for name, value in case.substitutions.items() for part in ("--substitute", f"{name}={value}")]


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_a_machine_of_a_project_runs_to_its_end(
    case: Case, copied: Callable[[str], Path], asl: Callable[..., Result]
) -> None:
    root = copied(case.project)
    before = contents(root)
    result = asl("run", case.machine, "--input", json.dumps(case.given), "--time", "skip", *options(case))
    assert (result.code, result.out and result.json) == (0, case.output), result.err
    assert f"  {case.name}  " in result.err

    run = asl_engine.run(case.machine, case.given, substitutions=case.substitutions)
    assert (run.status, run.output) == ("SUCCEEDED", case.output)
    assert f":{case.name}:" in run.arn
    assert contents(root) == before
    assert (root / ".asl").is_dir(), "the database is the project's, wherever the template is"


@pytest.mark.parametrize("case", [case for case in CASES.values() if case.path], ids=str)
def test_a_machine_of_a_project_is_tested_drawn_and_checked(
    case: Case, copied: Callable[[str], Path], asl: Callable[..., Result]
) -> None:
    copied(case.project)
    workflow = Workflow(case.machine, substitutions=case.substitutions)
    with workflow:
        workflow.run(case.given).assert_succeeded(case.output).assert_path(*case.path)
    drawn = asl("graph", case.machine, "--format", "mermaid", *options(case))
    assert drawn.code == 0
    assert all(state in drawn.out for state in case.path)
    checked = asl("validate", case.machine, "--no-lint", *options(case))
    assert (checked.code, checked.out.splitlines()[-1].endswith(": OK")) == (0, True), checked.out


@pytest.mark.parametrize("project", ["sam", "cloudformation", "cdk", "serverless", "terraform"])
def test_a_whole_project_is_checked(
    project: str, copied: Callable[[str], Path], asl: Callable[..., Result]
) -> None:
    copied(project)
    result = asl("validate", "--no-lint")
    assert result.code == 0, result.out
    assert "OK\n" in result.out


def test_what_stands_in_for_a_function_comes_first(copied: Callable[[str], Path]) -> None:
    copied("sam")
    tasks = {"Validate": lambda order: {**order, "cents": 1}, "charge-dev": lambda order: order}
    run = asl_engine.run("template.yaml#OrderMachine", {"id": 1}, tasks=tasks)
    assert run.output == {"id": 1, "cents": 1, "status": "SHIPPED", "queue": f"{SQS}/ParcelQueue"}


def test_an_interrupted_run_goes_on_with_what_it_was_given(
    copied: Callable[[str], Path], asl: Callable[..., Result]
) -> None:
    """What takes an execution up knows the template, the values for it, and so the functions."""
    root = copied("cloudformation")
    (root / "src" / "orders.py").write_text(
        "import os, time\n\ndef check(event, context):\n    open('begun', 'w').close()\n"
        "    while not os.path.exists('gate'):\n        time.sleep(0.01)\n"
        "    return {'carrier': os.environ['FIRST_CARRIER'], 'mode': os.environ['MODE']}\n",
        encoding="utf-8",
    )
    command = [sys.executable, "-m", "asl_engine", "run", "template.json#Orders", "--name", "one", "-q"]
    running = subprocess.Popen([*command, "--substitute", "Carriers=owl", "--substitute", "Stage=prod"])
    try:
        wait_for((root / "src" / "begun").exists)
    finally:
        running.kill()
        running.wait()
    (root / "src" / "gate").touch()
    result = asl("resume", "one", "-q")
    assert (result.code, result.json) == (0, {"carrier": "owl", "mode": "real", "status": "CARRIED"}), result.err


def test_the_templates_are_what_cfn_lint_accepts() -> None:
    """Its hints on what the CDK writes, and on what ``aws cloudformation package`` takes, are no faults."""
    templates = ["sam/template.yaml", "cloudformation/template.json"]
    templates += [f"cdk/cdk.out/{stack}.template.json" for stack in ("OrdersStack", "DataStack")]
    linted = subprocess.run(
        [sys.executable, "-c", LINT, "--ignore-checks", "W3002", "W3005", "W2001", "--", *templates],
        cwd=HERE,
        capture_output=True,
        text=True,
        check=False,
    )
    assert linted.returncode == 0, linted.stdout


def test_what_else_takes_a_definition_takes_a_machine_of_a_template(
    copied: Callable[[str], Path], asl: Callable[..., Result]
) -> None:
    copied("sam")
    machine, given = "template.yaml#OrderMachine", '{"items": []}'
    assert asl("run", machine, "--input", given, "--name", "one", "-q").code == 0
    assert asl("replay", "one", "--definition", machine).code == 0
    assert "statemachine/order.asl.json:" in asl("coverage", machine).out
    assert "Standard" in asl("cost", machine, "--input", given).out
    assert asl("test-state", machine, "--state", "Refuse", "-i", '{"error": {"Error": "E"}}').code == 0
    forked = asl("fork", "one", "--at", "Validate", "--definition", machine, "--name", "two", "-q")
    assert (forked.code, forked.json) == (0, {"status": "REFUSED", "why": "EmptyOrder"})
    assert asl("pin", "one").code == 0
    assert '"template.yaml#OrderMachine"' in Path("test_one.py").read_text(encoding="utf-8")
