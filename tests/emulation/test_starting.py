"""What is emulated, and where: settings, options, variables, ports; and an emulator that does not start."""

from __future__ import annotations

import errno
import os
import re
import socket
from typing import TYPE_CHECKING

import pytest

from asl_engine.emulation import mount
from asl_engine.emulation.settings import read_settings
from asl_engine.emulation.surroundings import has_credentials, service_addresses
from asl_engine.errors import AslError, ProjectError
from asl_engine.project.configuration import find_project
from asl_engine.store.run_options import RunOptions
from asl_engine.templates.declarations import DeclaredResource
from tests.cli.project import wait_for
from tests.emulation.served import OWN, configured, emulated

if TYPE_CHECKING:
    from pathlib import Path

    from asl_engine.emulation.settings import EmulationSettings

EMULATOR = "http://127.0.0.1:10"


@pytest.fixture(autouse=True)
def _no_endpoints(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)


def settings(root: Path, text: str) -> EmulationSettings:
    return read_settings(find_project(configured(root, text), {}))


@pytest.mark.parametrize(
    ("text", "wanted", "services"),
    [
        ("", None, None),
        ("emulation = true", True, None),
        ("emulation = false", False, None),
        ('emulation = ["sqs", "secretsmanager"]', True, {"sqs", "secretsmanager"}),
        ("emulation = {}", True, None),
        ('emulation = {services = ["dynamodb"]}', True, {"dynamodb"}),
    ],
)
def test_what_is_wanted(tmp_path: Path, text: str, wanted: bool | None, services: set[str] | None) -> None:
    found = settings(tmp_path, text)
    assert (found.wanted, found.services) == (wanted, services)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("emulation = 3", "emulation has to be true, false, a list of services, or a table"),
        ("emulation = {port = 0}", r"emulation\.port has to be a number from 1 to 65535; it is 0"),
        ("emulation = {ports = 1}", r"emulation: there is no key 'ports'; did you mean 'port'\?"),
        ('emulation = {services = "sqs"}', r"emulation\.services has to be a list of services"),
        ('emulation = ["sqz"]', r"endpoints\.sqz: there is no AWS service 'sqz'"),
        ('emulation = ["events"]', "emulation: events is never emulated: it is answered by the engine itself"),
        ("emulation = {resources = 1}", r"emulation\.resources has to be a table of tables by their names"),
        (
            "emulation = {resources = {q = 1}}",
            r"emulation\.resources\.q has to be a table with type and properties",
        ),
        ("emulation = {resources = {q = {kind = 1}}}", r"resources\.q: there is no key 'kind'"),
        (
            'emulation = {resources = {q = {type = "queue"}}}',
            r"resources\.q\.type has to be CloudFormation's name",
        ),
        (
            'emulation = {resources = {q = {type = "AWS::SQS::Queue", properties = []}}}',
            r"resources\.q\.properties has to be a table",
        ),
    ],
)
def test_settings_that_make_no_sense(tmp_path: Path, text: str, reason: str) -> None:
    with pytest.raises(AslError, match=reason):
        settings(tmp_path, text)


def test_the_configuration_comes_before_templates(tmp_path: Path) -> None:
    text = 'emulation = {resources = {Orders = {type = "AWS::SQS::Queue", properties = {QueueName = "orders"}}}}'
    project = find_project(configured(tmp_path, text), {})
    declared = [
        DeclaredResource(name, "AWS::SQS::Queue", name.lower(), {}, f"template.yaml: {name}")
        for name in ("Orders", "Others")
    ]
    found = read_settings(project._replace(resources=declared)).resources
    assert [(one.name, one.location) for one in found] == [
        ("orders", f"{tmp_path / 'asl.toml'}: emulation.resources.Orders"),
        ("others", "template.yaml: Others"),
    ]


def addresses(**more: object) -> dict[str, str]:
    given: dict[str, object] = {"emulator": EMULATOR, "services": None, "given": {}, "env": {}, **more}
    return service_addresses(OWN, **given).variables()  # type: ignore[arg-type]


OURS = {"AWS_ENDPOINT_URL_EVENTBRIDGE": OWN, "AWS_ENDPOINT_URL_LAMBDA": OWN, "AWS_ENDPOINT_URL_SFN": OWN}


def test_services_without_an_endpoint_are_emulated() -> None:
    assert addresses() == {**OURS, "AWS_ENDPOINT_URL": EMULATOR}


def test_an_endpoint_that_is_given_comes_first() -> None:
    sqs, states = "http://sqs.example", "http://states.example"
    found = addresses(
        given={"sqs": sqs}, env={"AWS_ENDPOINT_URL_SFN": states, "AWS_ENDPOINT_URL_SECRETS_MANAGER": sqs}
    )
    assert found == {
        **OURS,
        "AWS_ENDPOINT_URL": EMULATOR,
        "AWS_ENDPOINT_URL_SECRETS_MANAGER": sqs,
        "AWS_ENDPOINT_URL_SFN": states,
        "AWS_ENDPOINT_URL_SQS": sqs,
    }


def test_only_the_services_that_are_named() -> None:
    found = addresses(services=frozenset({"dynamodbstreams", "sqs"}))
    assert found == {
        **OURS,
        "AWS_ENDPOINT_URL_DYNAMODB_STREAMS": EMULATOR,
        "AWS_ENDPOINT_URL_SQS": EMULATOR,
    }


def test_an_endpoint_for_all_services_leaves_nothing_to_emulate() -> None:
    stack = "http://localhost:4566"
    assert addresses(env={"AWS_ENDPOINT_URL": stack}) == {**OURS, "AWS_ENDPOINT_URL": stack}


def test_where_all_services_are_elsewhere_nothing_is_emulated(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://localhost:4566")
    said: list[str] = []
    assert chosen(configured(tmp_path, "emulation = true\n"), None, develops=True, said=said) is False
    (told,) = said
    assert told.startswith("AWS_ENDPOINT_URL says that AWS's services are at http://localhost:4566: nothing is ")


def test_what_belongs_elsewhere_is_not_made_and_told(tmp_path: Path) -> None:
    text = """
[emulation]
services = ["dynamodb", "sqs"]
[emulation.resources.orders]
type = "AWS::SQS::Queue"
[emulation.resources.news]
type = "AWS::SNS::Topic"
[emulation.resources.rows]
type = "AWS::Serverless::SimpleTable"
"""
    with emulated(configured(tmp_path, text), "sqs=http://127.0.0.1:9324") as there:
        wait_for(lambda: any(line.startswith("made ") for line in there.said))
    *left, made = there.said
    assert left == [
        "1 topic not made: sns is not emulated, it is at AWS",
        "1 queue not made: sqs is not emulated, it is at http://127.0.0.1:9324",
    ]
    assert made.startswith("made 1 table in ")


def test_what_is_declared_later_is_made_and_the_rest_stays(tmp_path: Path) -> None:
    with emulated(configured(tmp_path, "emulation = true\n")) as there:
        queue, topic = (
            DeclaredResource(name, kind, name, {}, f"template.yaml: {name}")
            for name, kind in (("orders", "AWS::SQS::Queue"), ("news", "AWS::SNS::Topic"))
        )
        there.declare(queue)
        wait_for(lambda: len(there.said) == 1)
        sqs = there.client("sqs")
        url = sqs.get_queue_url(QueueName="orders")["QueueUrl"]
        sqs.send_message(QueueUrl=url, MessageBody="kept")
        there.declare(queue, topic)
        wait_for(lambda: len(there.said) == 2)
        assert sqs.receive_message(QueueUrl=url)["Messages"][0]["Body"] == "kept"
        assert len(there.client("sns").list_topics()["Topics"]) == 1
    assert [line.rpartition(" in ")[0] for line in there.said] == ["made 1 queue", "made 1 topic"]


def test_the_second_start_tells_that_nothing_is_left(tmp_path: Path) -> None:
    home = configured(tmp_path, 'emulation = {resources = {q = {type = "AWS::SQS::Queue"}}}\n')
    lost = ", empty: what was in them ended with the last run"
    for ending in (" s", f" s{lost}"):
        with emulated(home) as there:
            wait_for(lambda: any(line.startswith("made ") for line in there.said))
        (line,) = there.said
        assert line.startswith("made 1 queue in ")
        assert re.fullmatch(r" in [\d.]+", line.removeprefix("made 1 queue").removesuffix(ending))


def test_addresses_of_ones_own_in_a_shell_are_no_choice() -> None:
    env = {"AWS_ENDPOINT_URL": EMULATOR, "AWS_ENDPOINT_URL_SFN": OWN, "AWS_ENDPOINT_URL_SQS": EMULATOR}
    assert addresses(env=env) == addresses()


def test_without_emulation_functions_still_find_this_server() -> None:
    assert addresses(emulator=None) == OURS


def test_real_credentials_stay_where_a_service_is_real(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAREAL")
    monkeypatch.setenv("AWS_PROFILE", "real")
    root = configured(tmp_path, "emulation = true\n")
    with emulated(root, "s3=https://s3.eu-west-1.amazonaws.com"):
        assert os.environ["AWS_ACCESS_KEY_ID"] == "AKIAREAL"
        assert os.environ["AWS_PROFILE"] == "real"
        assert os.environ["AWS_ENDPOINT_URL_S3"] == "https://s3.eu-west-1.amazonaws.com"
    with emulated(root, "s3=http://localhost:9000"):
        assert os.environ["AWS_ACCESS_KEY_ID"] == "local"
        assert "AWS_PROFILE" not in os.environ
    assert os.environ["AWS_PROFILE"] == "real"
    assert "AWS_ENDPOINT_URL" not in os.environ


def chosen(root: Path, flag: bool | None, *, develops: bool, said: list[str]) -> bool | None:
    """Whether there is an emulator; None where nothing is changed at all."""
    how = RunOptions(root)
    context = mount.chosen_emulation(
        find_project(root, {}), how, flag, develops=develops, own=OWN, secrets=None, say=said.append
    )
    with context as emulation:
        return None if emulation is None else emulation.emulator is not None


def test_who_emulates_unasked(tmp_path: Path) -> None:
    said: list[str] = []
    root = configured(tmp_path, "")
    assert chosen(root, None, develops=True, said=said) is True
    assert chosen(root, False, develops=True, said=said) is False
    assert chosen(root, None, develops=False, said=said) is None
    assert chosen(root, True, develops=False, said=said) is True
    configured(tmp_path, "emulation = false\n")
    assert chosen(root, None, develops=True, said=said) is False
    assert chosen(root, True, develops=True, said=said) is True
    configured(tmp_path, "emulation = true\n")
    assert chosen(root, None, develops=False, said=said) is True
    assert not said


def test_moto_is_not_installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mount, "NEEDED", ("no_such_module",))
    said: list[str] = []
    root = configured(tmp_path, "")
    assert chosen(root, None, develops=True, said=said) is False
    assert not said  # nothing here needs it
    with pytest.raises(ProjectError, match=r'needs moto and boto3: pip install "asl-engine\[emulation\]"'):
        chosen(root, True, develops=False, said=said)
    project = find_project(root, {})._replace(
        resources=[DeclaredResource(name, "AWS::SQS::Queue", name, {}, "t") for name in ("a", "b")]
    )
    mount.chosen_emulation(project, RunOptions(root), None, develops=True, own=OWN, secrets=None, say=said.append)
    (told,) = said
    reason = "2 queues of the project cannot be made here: emulating AWS's services needs"
    assert told == f'{reason} moto: pip install "asl-engine[emulation]"'


def test_functions_sign_with_what_the_server_knows(tmp_path: Path) -> None:
    root = configured(tmp_path, "emulation = true\n")
    secret = "a secret that is known"  # noqa: S105  it is not
    context = mount.chosen_emulation(
        find_project(root, {}),
        RunOptions(root),
        None,
        develops=False,
        own=OWN,
        secrets={"ASLKEY": secret},
        say=print,
    )
    with context:
        assert os.environ["AWS_ACCESS_KEY_ID"] == "ASLKEY"
        assert os.environ["AWS_SECRET_ACCESS_KEY"] == secret


@pytest.mark.parametrize(
    ("how", "url"),
    [
        ({"use_lambda": True}, "https://lambda.eu-west-1.amazonaws.com"),
        ({"endpoint": "http://localhost:3001"}, "http://localhost:3001"),
    ],
)
def test_functions_call_lambda_where_tasks_do(tmp_path: Path, how: dict[str, object], url: str) -> None:
    root = configured(tmp_path, "emulation = true\n")
    options = RunOptions(root)._replace(**how)  # type: ignore[arg-type]
    context = mount.chosen_emulation(
        find_project(root, {}), options, None, develops=False, own=OWN, secrets=None, say=print
    )
    with context:
        assert os.environ["AWS_ENDPOINT_URL_LAMBDA"] == url


def test_nothing_starts_before_somebody_asks(tmp_path: Path) -> None:
    with emulated(configured(tmp_path, "emulation = true\n")) as there:
        assert there.emulation.emulator is not None
        assert there.emulation.emulator._process is None
        log = tmp_path / ".asl" / "asl.db-moto.log"
        wait_for(log.exists)
        assert log.read_bytes() == b""


def test_one_that_does_not_start_is_told_and_refuses(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    broken = tmp_path / "moto"
    broken.mkdir()
    (broken / "__init__.py").write_text("raise ImportError('this moto is broken')\n", encoding="utf-8")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    text = 'emulation = {resources = {q = {type = "AWS::SQS::Queue"}}}\n'
    with emulated(configured(tmp_path, text)) as there:
        wait_for(lambda: len(there.said) > 0)
        (told,) = there.said
        assert told.startswith("the emulator of AWS's services does not start: ImportError: this moto is broken (")
        port = int(there.emulation.endpoints["sqs"].rpartition(":")[2])
        with socket.socket() as client:
            assert client.connect_ex(("127.0.0.1", port)) == errno.ECONNREFUSED
    assert (tmp_path / ".asl" / "asl.db-moto.log").read_text(encoding="utf-8").count("Traceback") == 3


def test_a_port_that_is_taken(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        text = f"cannot emulate AWS's services at 127.0.0.1:{port}: .*; choose another port in the table emulation"
        with (
            pytest.raises(ProjectError, match=text),
            emulated(configured(tmp_path, f"emulation = {{port = {port}}}\n")),
        ):
            pass


def test_the_port_after_the_servers_is_taken_if_it_is_free(tmp_path: Path) -> None:
    root = configured(tmp_path, "emulation = true\n")
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with emulated(root, own=f"http://127.0.0.1:{port - 1}") as there:
            assert there.emulation.emulator is not None
            assert not there.emulation.emulator.url.endswith(f":{port}")
    with emulated(root, own=f"http://127.0.0.1:{port - 1}") as there:
        assert there.emulation.emulator is not None
        assert there.emulation.emulator.url.endswith(f":{port}")


@pytest.mark.parametrize(
    ("variables", "credentials", "config", "has"),
    [
        ({}, None, None, False),
        ({}, "", "[default]\nregion = eu-west-1\n[profile x]\nrole_arn = y\n", False),
        ({}, "no section", None, False),
        ({}, "[default]\naws_access_key_id = AKIA\naws_secret_access_key = a%b\n", None, True),
        ({}, None, "[default]\nsso_session = work\n", True),
        ({"AWS_ACCESS_KEY_ID": "AKIA"}, None, None, True),
        ({"AWS_PROFILE": "x"}, None, None, True),
    ],
)
def test_a_shell_without_credentials_is_given_some(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    variables: dict[str, str],
    credentials: str | None,
    config: str | None,
    *,
    has: bool,
) -> None:
    """The lines for another shell have a key where it would find none: boto3 sends nothing without."""
    files = {"AWS_SHARED_CREDENTIALS_FILE": credentials, "AWS_CONFIG_FILE": config}
    for name, text in files.items():
        monkeypatch.setenv(name, str(tmp_path / name))
        if text is not None:
            (tmp_path / name).write_text(text, encoding="utf-8")
    for name, text in variables.items():
        monkeypatch.setenv(name, text)
    assert has_credentials(os.environ) is has
    shown = exported(tmp_path, "emulation = true")
    assert shown == ({} if has else {"AWS_ACCESS_KEY_ID": "local", "AWS_SECRET_ACCESS_KEY": "local"})
    assert exported(tmp_path, 'emulation = ["sqs"]') == {}  # all else is on AWS


def exported(root: Path, text: str) -> dict[str, str]:
    """What a client's shell gets of credentials.  Nothing is started."""
    project = find_project(configured(root, text), {})
    chosen = mount.chosen_emulation(
        project, RunOptions(root), None, develops=True, own=OWN, secrets=None, say=print
    )
    with chosen as emulation:
        assert emulation is not None
        return {name: value for name, value in emulation.variables.items() if "_KEY" in name}
