"""Plans and states of Terraform: what they know of machines and functions, and what they do not."""

from __future__ import annotations

from typing import Any

from asl_engine.templates.declarations import Surroundings
from asl_engine.templates.terraform import terraform_declarations
from asl_engine.templates.terraform_plan import terraform_machines

DEFINITION = '{"StartAt": "A", "States": {"A": {"Type": "Succeed"}}}'


def resource(kind: str, called: str, module: str = "", /, **values: Any) -> dict[str, Any]:
    return {"address": f"{module}{kind}.{called}", "type": kind, "name": called, "values": values}


def state(*resources: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"format_version": "1.0", "values": {"root_module": {"resources": [*resources], **more}}}


def declared(document: dict[str, Any], **given: str) -> Any:
    around = Surroundings("us-east-1", "123456789012", "shop", given)
    return terraform_declarations(document, lambda _: (1, 1), around)


def test_a_state_has_what_a_plan_has() -> None:
    document = state(resource("aws_sfn_state_machine", "m", name="orders", type="EXPRESS", definition=DEFINITION))
    [machine] = declared(document).machines
    assert (machine.name, machine.express, machine.definition) == ("orders", True, DEFINITION)
    assert machine.names == ("aws_sfn_state_machine.m", "orders", "m", "aws_sfn_state_machine.m")
    assert [*terraform_machines(document)] == [("aws_sfn_state_machine.m", "/values/root_module/resources[0]")]


def test_modules_are_looked_through() -> None:
    inner = {"resources": [resource("aws_sfn_state_machine", "m", "module.a.module.b.", definition=DEFINITION)]}
    document = state(child_modules=[{"child_modules": [inner]}])
    [machine] = declared(document).machines
    assert machine.logical == "module.a.module.b.aws_sfn_state_machine.m"
    assert machine.name == "m", "that of the resource where the plan does not know another"


def test_functions_have_their_settings() -> None:
    values = {
        "function_name": "f",
        "runtime": "python3.12",
        "handler": "app.handler",
        "filename": "./code.zip",
        "timeout": 7,
        "memory_size": 512,
        "environment": [{"variables": {"A": "1"}}],
    }
    archive = resource("archive_file", "code", source_file="./src/app.py", output_path="code.zip")
    [function] = declared(state(archive, resource("aws_lambda_function", "f", **values))).functions
    assert (function.name, function.handler, function.code) == ("f", "app.handler", "./src")
    assert (function.timeout, function.memory, function.environment) == (7, 512, {"A": "1"})


def test_code_that_is_elsewhere() -> None:
    image = resource("aws_lambda_function", "f", package_type="Image", image_uri="x")
    stored = resource("aws_lambda_function", "g", s3_bucket="b", s3_key="k")
    found = declared(state(image, stored)).functions
    assert [one.elsewhere for one in found] == ["is a container image", "has its code in S3"]


def test_what_a_plan_does_not_know_can_be_given() -> None:
    document = state(resource("aws_sfn_state_machine", "m"), resource("aws_lambda_function", "f", filename="c"))
    unknown = {"environment": [{"variables": {"URL": True}}]}
    document["resource_changes"] = [{"address": "aws_lambda_function.f", "change": {"after_unknown": unknown}}]
    found = declared(document)
    assert found.names == ("aws_sfn_state_machine.m.definition", "aws_lambda_function.f.URL")
    assert [len(one.findings) for one in (*found.machines, *found.functions)] == [1, 1]
    given = {"aws_sfn_state_machine.m.definition": "m.json", "aws_lambda_function.f.URL": "http://x"}
    found = declared(document, **given)
    assert (found.machines[0].file, found.machines[0].findings) == ("m.json", ())
    assert (found.functions[0].environment, found.functions[0].findings) == ({"URL": "http://x"}, ())
