"""``--with-functions``: the project's callables as Lambda functions, and the order machine running on them."""

from __future__ import annotations

import io
import json
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from asl_engine.cloud.deploy.bundle import build
from asl_engine.cloud.deploy.handler import Handlers
from asl_engine.cloud.deploy.settings import Settings, read_settings
from asl_engine.errors import ProjectError
from asl_engine.project.configuration import find_project
from asl_engine.resources.lambda_.service import lambda_resource
from tests.cli.project import machine, task
from tests.cloud.account import ACCOUNT, REGION, Account, Interruption, where_to_interrupt
from tests.cloud.lambda_service import LambdaService, lambda_service
from tests.server.harness import ended, running

if TYPE_CHECKING:
    from tests.cli.project import Project

ROOT = Path(__file__).parents[2]
ARN = f"arn:aws:states:{REGION}:{ACCOUNT}:stateMachine:m"
SUM = machine(Double=task("double"), AddOne=task("addOne"))


def function_arn(name: str) -> str:
    return f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:{name}"


def definition(account: Account) -> Any:
    shown = account.client("stepfunctions").describe_state_machine(stateMachineArn=ARN)
    return json.loads(shown["definition"])


def configure(project: Project, text: str) -> None:
    (project.root / "asl.toml").write_text(text, encoding="utf-8")


@pytest.fixture(autouse=True)
def _hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("asl_engine.cli.commands.deploy.time.sleep", lambda _seconds: None)


# -- deploying ----------------------------------------------------------------------------------------


def test_functions_are_deployed_and_their_arns_wired(project: Project, account: Account) -> None:
    configure(
        project,
        "[deploy]\nmemory = 512\ntimeout = 9\nreserved-concurrency = 3\nenvironment = { A = '1' }\n"
        "[deploy.functions.addOne]\nmemory = 1024\nenvironment = { B = '2' }\n",
    )
    path = project.define("m", SUM)
    result = project.asl("deploy", path, "--with-functions")
    assert result.code == 0, result.err
    states = definition(account)["States"]
    assert states["Double"]["Resource"] == f"{function_arn('m-double')}:1"
    assert states["AddOne"]["Resource"] == f"{function_arn('m-addOne')}:1"
    client = account.client("lambda")
    shown = client.get_function(FunctionName="m-addOne")
    configuration = shown["Configuration"]
    assert configuration["Architectures"] == ["arm64"]
    assert (configuration["MemorySize"], configuration["Timeout"]) == (1024, 9)
    assert configuration["Environment"]["Variables"] == {"A": "1", "B": "2"}
    assert configuration["Handler"] == "asl_handler.addOne"
    assert shown["Concurrency"]["ReservedConcurrentExecutions"] == 3
    assert client.get_function_configuration(FunctionName="m-double")["MemorySize"] == 512
    policy = account.state()["roles"][f"asl-m-{REGION}"]["asl-engine"]
    assert policy["Statement"] == [
        {
            "Effect": "Allow",
            "Action": ["lambda:InvokeFunction"],
            "Resource": [f"{function_arn('m-addOne')}:*", f"{function_arn('m-double')}:*"],
        }
    ]
    account.calls.clear()
    assert project.asl("deploy", path, "--with-functions").code == 0
    assert account.written == []


def test_changed_code_is_a_new_version_of_functions_and_machine(project: Project, account: Account) -> None:
    path = project.define("m", SUM)
    project.asl("deploy", path, "--with-functions", "--alias", "live")
    tasks = project.root / "tasks" / "callables.py"
    tasks.write_text(tasks.read_text(encoding="utf-8").replace("* 2", "* 3"), encoding="utf-8")
    account.calls.clear()
    result = project.asl("deploy", path, "--with-functions", "--alias", "live")
    assert result.code == 0, result.err
    assert definition(account)["States"]["Double"]["Resource"] == f"{function_arn('m-double')}:2"
    assert account.written.count("lambda.UpdateFunctionCode") == 2
    assert account.written.count("lambda.UpdateFunctionConfiguration") == 0
    planned = result.err.partition("deploying m to")[0]
    assert f'+      "Resource": "{function_arn("m-double")}:2",' in planned
    # The version before goes on invoking the functions as they were.
    before = account.client("stepfunctions").describe_state_machine(stateMachineArn=f"{ARN}:1")
    assert json.loads(before["definition"])["States"]["Double"]["Resource"] == f"{function_arn('m-double')}:1"


def test_placeholders_and_lambda_invoke_are_wired_too(project: Project, account: Account) -> None:
    invoke = {"Type": "Task", "Resource": "arn:aws:states:::lambda:invoke", "End": True}
    text = json.dumps(
        machine(
            Double={"Type": "Task", "Resource": "${DoubleFunctionArn}"},
            AddOne=invoke | {"Parameters": {"FunctionName": "add_one", "Payload.$": "$"}},
        )
    )
    result = project.asl("deploy", project.define("m", text), "--with-functions")
    assert result.code == 0, result.err
    states = definition(account)["States"]
    assert states["Double"]["Resource"] == f"{function_arn('m-double')}:1"
    assert states["AddOne"]["Parameters"]["FunctionName"] == f"{function_arn('m-add_one')}:1"


def test_a_dry_run_tells_the_versions_that_are_to_come(project: Project, account: Account) -> None:
    result = project.asl("deploy", project.define("m", SUM), "--with-functions", "--dry-run", "--json")
    assert result.code == 0, result.err
    assert account.written == []
    assert [change for change in result.json["changes"] if "function" in change] == [
        f"create the role asl-m-{REGION}-functions",
        f"write the policy of the role asl-m-{REGION}-functions",
        "create the function m-double",
        "create the function m-addOne",
    ]


def test_interrupted_after_any_call_a_second_run_comes_to_the_same_end(project: Project, account: Account) -> None:
    one = machine(Double=task("double"))
    path = project.define("m", one)
    configure(project, "[deploy]\nreserved-concurrency = 1\n")
    assert project.asl("deploy", path, "--with-functions").code == 0
    wanted = account.state()
    for step in where_to_interrupt(account.calls):
        account.reset()
        account.fail_after = step
        with pytest.raises(Interruption):
            project.asl("deploy", path, "--with-functions")
        account.fail_after = None
        result = project.asl("deploy", path, "--with-functions")
        assert result.code == 0, (step, result.err)
        assert account.state() == wanted, step


def test_reserved_concurrency_comes_and_goes(project: Project, account: Account) -> None:
    path = project.define("m", machine(Double=task("double")))
    for line, expected in (("", None), ("reserved-concurrency = 2", 2), ("memory = 512", None)):
        configure(project, f"[deploy]\n{line}\n")
        assert project.asl("deploy", path, "--with-functions").code == 0
        assert account.state()["functions"]["m-double"][4] == expected
    shown = account.client("lambda").get_function_configuration(FunctionName="m-double")
    assert shown["MemorySize"] == 512
    assert definition(account)["States"]["Double"]["Resource"] == f"{function_arn('m-double')}:2"


def test_a_function_that_lambda_cannot_set_up(project: Project, account: Account) -> None:
    path = project.define("m", machine(Double=task("double")))
    answers = account.answers
    absent = {"Error": {"Code": "ResourceNotFoundException", "Message": "none"}, "ResponseMetadata": {}}
    pending, failed = {"State": "Pending"}, {"State": "Failed", "StateReason": "no room"}
    answers["GetFunctionConfiguration"] = [(404, absent), (404, absent), (200, pending), (200, failed)]
    result = project.asl("deploy", path, "--with-functions")
    assert result.code == 2
    assert "Lambda could not set up the function m-double: no room" in result.err
    result = project.asl("deploy", path, "--with-functions")
    assert result.code == 0, result.err


def test_names_that_lambda_does_not_allow(project: Project, account: Account) -> None:
    path = project.define("m", machine(Double=task("double")))
    result = project.asl("deploy", path, "--with-functions", "--name", "m.v2")
    assert result.code == 2
    assert "the function m.v2-double cannot be called so" in result.err
    assert account.written == []


def test_names_and_code_that_are_too_long(
    project: Project, account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = project.define("m", machine(Double=task("double")))
    result = project.asl("deploy", path, "--with-functions", "--name", "n" * 60)
    assert result.code == 2
    assert "would have a name of 67 characters; Lambda allows 64" in result.err
    monkeypatch.setattr("asl_engine.cloud.deploy.functions._MOST_UPLOADED", 1000)
    result = project.asl("deploy", path, "--with-functions")
    assert result.code == 2
    assert "bytes zipped; Lambda takes 1,000 in a request" in result.err
    assert account.written == []


def test_destroy_takes_the_functions_too(project: Project, account: Account) -> None:
    empty = account.state()
    path = project.define("m", SUM)
    assert project.asl("deploy", path, "--with-functions").code == 0
    # A function that is not in the definition any more goes as well.
    project.define("m", machine(Double=task("double")))
    result = project.asl("deploy", path, "--destroy", "--yes")
    assert result.code == 0, result.err
    assert account.state() == empty


def test_a_function_of_others_is_not_touched(project: Project, account: Account) -> None:
    assumed = {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
    role = account.client("iam").create_role(
        RoleName="theirs",
        AssumeRolePolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [assumed]}),
    )
    account.client("lambda").create_function(
        FunctionName="m-double",
        Runtime="python3.13",
        Role=role["Role"]["Arn"],
        Handler="h.h",
        Code={"ZipFile": build(find_project(project.root, {}), Settings("p")).content},
    )
    result = project.asl("deploy", project.define("m", SUM), "--with-functions")
    assert result.code == 2
    assert "there is a function m-double that has not been made for this deployment" in result.err
    assert account.written == []


def test_a_definition_without_tasks_of_the_project(project: Project, account: Account) -> None:
    result = project.asl("deploy", project.define("m", machine(A=task("unknown"))), "--with-functions")
    assert result.code == 2
    assert "it names no function that the project has a task callable for; there are add_one, " in result.err
    assert account.calls == []


# -- the order, on the deployed functions -------------------------------------------------------------

ORDERS = [
    ("inputs/happy.json", "SUCCEEDED", "FULFILLED"),
    ("inputs/payment-retry.json", "SUCCEEDED", "FULFILLED"),
    ("inputs/out-of-stock.json", "SUCCEEDED", "FAILED"),
]


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the example project."""
    root = tmp_path / "shop"
    for name in ("statemachines", "tasks", "inputs"):
        shutil.copytree(ROOT / name, root / name, ignore=shutil.ignore_patterns("__pycache__"))
    (root / "asl.toml").write_text(
        f'[deploy]\nenvironment = {{ SHOP_DB = "{tmp_path / "shop.db"}" }}\n', encoding="utf-8"
    )
    monkeypatch.chdir(root)
    return root


def serve_functions(account: Account, service: LambdaService, code: bytes, sha256: str) -> None:
    """Give the service what has been deployed: handlers and environments as Lambda has them."""
    client = account.client("lambda")
    for one in client.list_functions()["Functions"]:
        versions = client.list_versions_by_function(FunctionName=one["FunctionName"])["Versions"]
        for version in versions:
            assert version["CodeSha256"] == sha256
            arn = f"{function_arn(one['FunctionName'])}:{version['Version']}"
            service.functions[arn] = (version["Handler"], code, version["Environment"]["Variables"])


def test_the_order_runs_on_the_deployed_functions(
    shop: Path, project: Project, account: Account, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(shop)
    with lambda_service(tmp_path / "lambda") as service:
        remote = lambda_resource(service.url, REGION)
        with running(tmp_path / "asl.db", remote=remote) as server:
            monkeypatch.setenv("AWS_ENDPOINT_URL_SFN", f"http://{server.host}:{server.port}")
            path = "statemachines/order.json"
            result = project.asl("deploy", path, "--with-functions", "--alias", "live")
            assert result.code == 0, result.err
            configured = find_project(shop / path, {})
            bundle = build(configured, read_settings(configured))
            serve_functions(account, service, bundle.content, bundle.sha256)
            client = server.client(REGION)
            for given, status, order_status in ORDERS:
                text = (shop / given).read_text(encoding="utf-8")
                started = client.start_execution(stateMachineArn=result.out.strip(), input=text)
                shown = ended(client, started["executionArn"])
                assert shown["status"] == status, shown
                assert json.loads(shown["output"])["status"] == order_status
    assert set(service.invoked) == {
        f"{function_arn(f'order-{name}')}:1"
        for name in ("validateOrder", "checkInventory", "processPayment", "fulfillOrder", "notifyFailure")
    }
    text = (shop / path).read_text(encoding="utf-8")
    # To the letter: only the ARNs are other than in the file.
    for name in ("validateOrder", "checkInventory", "processPayment", "fulfillOrder", "notifyFailure", "refund"):
        text = text.replace(f"arn:aws:lambda:region:account:function:{name}", f"{function_arn(f'order-{name}')}:1")
    with running(tmp_path / "asl.db") as server:
        shown = server.client(REGION).describe_state_machine(stateMachineArn=result.out.strip().rpartition(":")[0])
        assert shown["definition"] == text


def test_the_conventions_of_callables_hold_in_lambda(project: Project, tmp_path: Path) -> None:
    (project.root / "tasks" / "callables.py").write_text(
        """
from asl_engine import StatesError, TaskContext, task

class SeatTaken(Exception): pass

@task
def plain(event): return event["n"] * 2

@task("with-context")
def other(event, context: TaskContext):
    assert 0 < context.get_remaining_time_in_millis() <= 30000
    context.heartbeat()
    return [context.function_name, context.aws_request_id != "", context.idempotency_key, context.attempt]

@task
async def waits(event): return {"async": True}

@task
def taken(event): raise SeatTaken("1A")

@task
def closed(event): raise StatesError("Airline.Closed", "at 6")
""",
        encoding="utf-8",
    )
    bundle = build(find_project(project.root, {}), Settings("p"))
    service = LambdaService(tmp_path / "lambda")
    for name in ("plain", "with-context", "waits", "taken", "closed"):
        service.functions[name] = (f"asl_handler.{name}", bundle.content, {})
    assert service.run("plain", b'{"n": 2}') == {"result": 4}
    assert service.run("with-context", b"{}") == {"result": ["with-context", True, "request-2", 0]}
    assert service.run("waits", b"{}") == {"result": {"async": True}}
    failures = [service.run(name, b"{}") for name in ("taken", "closed")]
    assert [(one["errorType"], one["errorMessage"]) for one in failures] == [
        ("SeatTaken", "1A"),
        ("Airline.Closed", "at 6"),
    ]


def test_handlers_are_found_by_name(project: Project) -> None:
    handlers = Handlers(project.root, ("tasks",))
    context = SimpleNamespace(aws_request_id="r-1", get_remaining_time_in_millis=lambda: 5000)
    assert handlers("double")({"n": 2}, context) == {"n": 4}
    assert handlers("addOne")({"n": 2}, context) == {"n": 3}
    with pytest.raises(AttributeError, match="there is no task callable '__path__'; there are add_one, "):
        handlers("__path__")


# -- the code ------------------------------------------------------------------------------------------


def test_the_same_files_make_the_same_zip(project: Project, tmp_path: Path) -> None:
    first = build(find_project(project.root, {}), Settings("p"))
    copy = tmp_path / "elsewhere"
    shutil.copytree(project.root, copy)
    for file in copy.rglob("*.py"):
        file.touch()
    (copy / "tasks" / "__pycache__").mkdir(exist_ok=True)
    (copy / "tasks" / "__pycache__" / "callables.pyc").write_bytes(b"x")
    second = build(find_project(copy, {}), Settings("p"))
    assert first == second
    with zipfile.ZipFile(io.BytesIO(first.content)) as archive:
        names = archive.namelist()
        assert names == sorted(names)
        assert {"asl_handler.py", "tasks/callables.py", "asl_engine/__init__.py"} <= set(names)
        assert not [name for name in names if "server" in name or "store" in name or "pycache" in name]
        assert {info.date_time for info in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}
        assert {info.external_attr >> 16 for info in archive.infolist()} == {0o100644}


def test_modules_of_the_project_are_included_by_patterns(project: Project) -> None:
    (project.root / "shop").mkdir()
    (project.root / "shop" / "prices.py").write_text("PRICE = 1\n")
    settings = Settings("p", include=("shop/**/*.py",))
    with zipfile.ZipFile(io.BytesIO(build(find_project(project.root, {}), settings).content)) as archive:
        assert "shop/prices.py" in archive.namelist()


@pytest.fixture
def index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of wheels, one of them for arm64 only, that pip is told to use."""
    wheels = tmp_path / "wheels"
    wheels.mkdir()
    for tag in ("cp313-cp313-manylinux_2_28_aarch64", "cp313-cp313-manylinux_2_28_x86_64"):
        with zipfile.ZipFile(wheels / f"greetings-1.2.0-{tag}.whl", "w") as wheel:
            wheel.writestr("greetings.py", f"TAG = {tag!r}\n")
            wheel.writestr(
                "greetings-1.2.0.dist-info/METADATA", "Metadata-Version: 2.1\nName: greetings\nVersion: 1.2.0\n"
            )
            wheel.writestr(
                "greetings-1.2.0.dist-info/WHEEL", f"Wheel-Version: 1.0\nRoot-Is-Purelib: false\nTag: {tag}\n"
            )
            wheel.writestr("greetings-1.2.0.dist-info/RECORD", "")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(wheels))
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    return wheels


@pytest.mark.skipif(
    subprocess.run([sys.executable, "-m", "pip", "--version"], capture_output=True, check=False).returncode != 0,
    reason="needs pip",
)
@pytest.mark.usefixtures("index")
def test_pinned_dependencies_come_along_for_the_functions_platform(project: Project) -> None:
    (project.root / "requirements.txt").write_text("# pinned\ngreetings==1.2.0\n")
    for architecture, tag in (("arm64", "aarch64"), ("x86_64", "x86_64")):
        settings = Settings("p", architecture=architecture)
        first = build(find_project(project.root, {}), settings)
        with zipfile.ZipFile(io.BytesIO(first.content)) as archive:
            assert tag in archive.read("greetings.py").decode()
        assert build(find_project(project.root, {}), settings) == first
    (project.root / "requirements.txt").write_text("greetings==9.9\n")
    with pytest.raises(
        ProjectError, match=r"cannot install requirements.txt for python3.13 on arm64: .*greetings==9.9"
    ):
        build(find_project(project.root, {}), Settings("p"))


UNPINNED = ["requests", "requests>=2", "requests ~= 2.1", "git+https://example.org/x"]


@pytest.mark.parametrize("line", UNPINNED)
def test_dependencies_that_are_not_pinned_are_refused(project: Project, line: str) -> None:
    (project.root / "requirements.txt").write_text(f"greetings==1.2.0\n{line}\n")
    with pytest.raises(ProjectError, match="is not pinned: write NAME==VERSION"):
        build(find_project(project.root, {}), Settings("p"))


def test_requirements_that_are_named_have_to_be_there(project: Project) -> None:
    with pytest.raises(ProjectError, match=r"deploy.requirements: there is no .*lock.txt"):
        build(find_project(project.root, {}), Settings("p", requirements="lock.txt"))
