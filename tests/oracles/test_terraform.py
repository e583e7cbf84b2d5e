"""Terraform, with AWS's provider, against ``asl serve``: what it creates it finds as it wrote it.

The provider is large and the tests never download it: they run where Terraform is on the path and the provider
lies in a mirror: the folder that ASL_TERRAFORM_MIRROR names, Terraform's own cache (TF_PLUGIN_CACHE_DIR), or one
of its implied local mirrors.  How single requests look on the wire is tested elsewhere, without Terraform.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.server.harness import ROLE, Server, running

if TYPE_CHECKING:
    from collections.abc import Iterator

PROVIDER = "*/hashicorp/aws"  # below the host that it comes from
UNCHANGED = 0  # the exit code of ``plan -detailed-exitcode``; where something is to change it is 2
PARALLELISM = "-parallelism=40"
MINUTES = 60  # seconds
HELLO = {"StartAt": "Hello", "States": {"Hello": {"Type": "Pass", "Result": "hello", "End": True}}}
GROUP = "arn:aws:logs:us-east-1:123456789012:log-group:/sfn/orchard:*"
KEY = "arn:aws:kms:us-east-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab"

LOGGING: dict[str, Any] = {
    "none": None,
    "off": {"level": "OFF"},
    "errors": {"level": "ERROR", "log_destination": GROUP},
    "all": {"level": "ALL", "include_execution_data": True, "log_destination": GROUP},
}
TRACING: dict[str, Any] = {"none": None, "off": {"enabled": False}, "on": {"enabled": True}}
ENCRYPTION: dict[str, Any] = {
    "none": None,
    "aws": {"type": "AWS_OWNED_KEY"},
    "key": {"type": "CUSTOMER_MANAGED_KMS_KEY", "kms_key_id": KEY, "kms_data_key_reuse_period_seconds": 600},
}
COMBINATIONS = list(product(LOGGING, TRACING, ENCRYPTION))


def mirrors() -> Iterator[Path]:
    for name in ("ASL_TERRAFORM_MIRROR", "TF_PLUGIN_CACHE_DIR"):
        if folder := os.environ.get(name):
            yield Path(folder)
    yield Path.home() / ".terraform.d" / "plugins"
    for shared in ("/usr/local/share", "/usr/share"):
        yield Path(shared) / "terraform" / "plugins"


def mirror() -> Path | None:
    """A folder that holds the provider."""
    return next((folder for folder in mirrors() if any(folder.glob(f"{PROVIDER}/*"))), None)


BINARY, MIRROR = shutil.which("terraform"), mirror()
pytestmark = [
    pytest.mark.skipif(BINARY is None, reason="terraform is not installed"),
    pytest.mark.skipif(MIRROR is None, reason="no local mirror has the provider hashicorp/aws"),
    pytest.mark.timeout(10 * MINUTES),  # the provider takes seconds to start, each time
]


class Terraform:
    """A working folder whose provider talks to a server."""

    def __init__(self, folder: Path, server: Server) -> None:
        self.folder = folder
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "TF_"))}
        self._environment = kept | {"CHECKPOINT_DISABLE": "1", "TF_IN_AUTOMATION": "1"}
        provider = {
            "region": "us-east-1",
            "access_key": "any",
            "secret_key": "any",
            "skip_credentials_validation": True,
            "skip_metadata_api_check": True,
            "skip_region_validation": True,
            "skip_requesting_account_id": True,
            "endpoints": [{"sfn": f"http://{server.host}:{server.port}"}],
        }
        self.write("provider", {"provider": {"aws": provider}})
        self("init", "-backend=false", f"-plugin-dir={MIRROR}")

    def write(self, name: str, configuration: dict[str, Any]) -> None:
        (self.folder / f"{name}.tf.json").write_text(json.dumps(configuration, indent=1), encoding="utf-8")

    def resources(self, **resources: dict[str, Any]) -> None:
        self.write("main", {"resource": resources} if resources else {})

    def code(self, *arguments: str) -> tuple[int, str]:
        assert BINARY is not None
        command = [BINARY, *arguments, "-no-color"]
        done = subprocess.run(
            command, cwd=self.folder, env=self._environment, capture_output=True, text=True, check=False
        )
        return done.returncode, done.stdout + done.stderr

    def __call__(self, *arguments: str) -> str:
        code, said = self.code(*arguments)
        assert code == 0, said
        return said

    def apply(self) -> None:
        self("apply", "-auto-approve", "-input=false", PARALLELISM)

    def destroy(self) -> None:
        """Removes everything, as Terraform's state knows it."""
        self("destroy", "-auto-approve", "-input=false", "-refresh=false", PARALLELISM)
        assert self._resources() == {}

    def has_nothing_to_change(self) -> None:
        code, said = self.code("plan", "-detailed-exitcode", "-input=false", PARALLELISM)
        assert code == UNCHANGED, said

    def state(self, address: str) -> dict[str, Any]:
        """The attributes that Terraform's state has for a resource."""
        return self._resources()[address]

    def _resources(self) -> dict[str, dict[str, Any]]:
        state = json.loads((self.folder / "terraform.tfstate").read_text(encoding="utf-8"))
        return {
            f"{resource['type']}.{resource['name']}": instance["attributes"]
            for resource in state["resources"]
            for instance in resource["instances"]
        }


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    with running(tmp_path / "asl.db") as server:
        yield server


@pytest.fixture
def terraform(tmp_path: Path, server: Server) -> Terraform:
    folder = tmp_path / "terraform"
    folder.mkdir()
    return Terraform(folder, server)


def machine(name: str, definition: Any = HELLO, **arguments: Any) -> dict[str, Any]:
    given = {key: value for key, value in arguments.items() if value is not None}
    return {"name": name, "role_arn": ROLE, "definition": json.dumps(definition), **given}


def blocks(logging: str, tracing: str, encryption: str) -> dict[str, Any]:
    return {
        "logging_configuration": LOGGING[logging],
        "tracing_configuration": TRACING[tracing],
        "encryption_configuration": ENCRYPTION[encryption],
    }


def test_every_combination_of_blocks_is_found_as_written(terraform: Terraform, server: Server) -> None:
    """The second round gives each machine the blocks of another one: every update is tried too."""
    names = ["-".join(combination) for combination in COMBINATIONS]
    for given in (COMBINATIONS, [*COMBINATIONS[7:], *COMBINATIONS[:7]]):
        machines = {
            name: machine(name, **blocks(*combination)) for name, combination in zip(names, given, strict=True)
        }
        terraform.resources(aws_sfn_state_machine=machines)
        terraform.apply()
        terraform.has_nothing_to_change()
    assert len(server.client().list_state_machines()["stateMachines"]) == len(COMBINATIONS)
    terraform.destroy()
    assert server.client().list_state_machines()["stateMachines"] == []


ALIAS = "${aws_sfn_state_machine.orchard.state_machine_version_arn}"


def test_a_machine_an_alias_and_an_activity_are_made_changed_imported_and_removed(
    terraform: Terraform, server: Server
) -> None:
    resources: dict[str, Any] = {
        "aws_sfn_state_machine": {"orchard": machine("orchard", publish=True, tags={"team": "pears"})},
        "aws_sfn_activity": {"pick": {"name": "pick", "tags": {"team": "pears"}}},
        "aws_sfn_alias": {
            "live": {
                "name": "live",
                "routing_configuration": [{"state_machine_version_arn": ALIAS, "weight": 100}],
            }
        },
    }
    terraform.resources(**resources)
    terraform.apply()
    terraform.has_nothing_to_change()
    first = terraform.state("aws_sfn_state_machine.orchard")
    assert first["state_machine_version_arn"].endswith(":orchard:1")

    wait = {"StartAt": "Wait", "States": {"Wait": {"Type": "Wait", "Seconds": 1, "End": True}}}
    resources["aws_sfn_state_machine"]["orchard"] = machine(
        "orchard", wait, publish=True, tags={"team": "plums"}, **blocks("all", "on", "none")
    )
    resources["aws_sfn_activity"]["pick"]["tags"] = {"team": "plums"}
    resources["aws_sfn_alias"]["live"]["description"] = "what customers get"
    terraform.resources(**resources)
    terraform.apply()
    terraform.has_nothing_to_change()
    second = terraform.state("aws_sfn_state_machine.orchard")
    assert second["arn"] == first["arn"]
    assert second["state_machine_version_arn"].endswith(":orchard:2")
    assert json.loads(second["definition"]) == wait
    assert terraform.state("aws_sfn_activity.pick")["tags_all"] == {"team": "plums"}
    [route] = terraform.state("aws_sfn_alias.live")["routing_configuration"]
    assert route["state_machine_version_arn"] == second["state_machine_version_arn"]

    for address in ("aws_sfn_state_machine.orchard", "aws_sfn_activity.pick", "aws_sfn_alias.live"):
        before = terraform.state(address)
        terraform("state", "rm", address)
        terraform("import", "-input=false", address, before["id"])
        after = terraform.state(address)
        assert {name for name in before if before[name] != after[name]} <= UNKNOWN_TO_IMPORTS
    terraform.destroy()
    assert server.client().list_state_machines()["stateMachines"] == []
    assert server.client().list_activities()["activities"] == []


# No API has them: they are in configurations alone.
UNKNOWN_TO_IMPORTS = {"publish", "timeouts"}
