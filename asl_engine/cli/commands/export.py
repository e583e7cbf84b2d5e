"""``asl export``: a deployment as the files of another tool."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from asl_engine.cli import options
from asl_engine.cli.commands.deploy import Deployment, order_for
from asl_engine.cli.output import err, out
from asl_engine.cloud.export import FORMATS, code_key, export
from asl_engine.errors import InvalidInput
from asl_engine.project.definitions import Substituting

if TYPE_CHECKING:
    from asl_engine.cloud.deploy.deployment import Order

__all__ = ["command", "export_command"]


def command(
    *,
    definition: options.Definition,
    form: Annotated[
        str, typer.Option("--format", metavar="FORMAT", help="sam, cloudformation or terraform. Default: sam")
    ] = "sam",
    folder: Annotated[
        str, typer.Option("--output", "-o", metavar="FOLDER", help="The folder for the files. Default: export")
    ] = "export",
    name: options.MachineName = None,
    role: options.Role = None,
    type_: options.MachineType = None,
    with_functions: options.WithFunctions = False,
    alias: options.Alias = None,
    substitute: options.Substitute = None,
    substitutions: options.Substitutions = None,
) -> int:
    """Write what `asl deploy` would deploy as files of SAM, CloudFormation or Terraform."""
    given = Deployment(
        definition=definition,
        name=name,
        role=role,
        type=type_,
        with_functions=with_functions,
        alias=alias,
        substituting=Substituting(tuple(substitute or ()), substitutions),
    )
    return export_command(given, form, folder)


def export_command(given: Deployment, form: str, folder: str) -> int:
    """Write the files into ``folder``; stdout has their names."""
    if form not in FORMATS:
        raise InvalidInput(f"--format {form}: it is {', '.join(FORMATS)}")
    order = order_for(given)
    files = export(order, form)
    home = Path(folder)
    try:
        home.mkdir(parents=True, exist_ok=True)
        for name, content in files.items():
            (home / name).write_bytes(content)
    except OSError as error:
        raise InvalidInput(f"cannot write {error.filename}: {error.strerror}") from None
    for name in sorted(files):
        out(str(home / name))
    err(f"{order.name} is written for {form}; deploy it with: {_how(order, form, folder)}")
    return 0


def _how(order: Order, form: str, folder: str) -> str:
    if form == "terraform":
        return f"terraform -chdir={folder} init && terraform -chdir={folder} apply"
    if form == "sam":
        return f"sam deploy --guided --template-file {folder}/template.json"
    deploy = f"aws cloudformation deploy --template-file {folder}/template.json --stack-name {order.name}"
    if order.settings.role is None or (order.functions is not None and order.settings.function_role is None):
        deploy += " --capabilities CAPABILITY_IAM"
    if order.functions is None:
        return deploy
    key = code_key(order.name, order.functions.bundle)
    upload = f"aws s3 cp {folder}/functions.zip s3://BUCKET/{key}"
    return f"{upload} && {deploy} --parameter-overrides CodeBucket=BUCKET"
