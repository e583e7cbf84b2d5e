"""Files that declare state machines, read from the disk: templates, assemblies of the CDK, and what they name.

``FILE#MACHINE`` names a machine of such a file, by its logical id, its name or its construct's path.
"""

from __future__ import annotations

import os
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from asl_engine.errors import InvalidInput
from asl_engine.findings import did_you_mean
from asl_engine.project.inputs import read_text
from asl_engine.templates.declarations import Surroundings
from asl_engine.templates.recognition import SERVERLESS, TERRAFORM, read_template, recognised_template

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from asl_engine.json_values import Json
    from asl_engine.project.configuration import Project
    from asl_engine.templates.cdk import AssembledStack
    from asl_engine.templates.cloudformation import CloudFormation
    from asl_engine.templates.declarations import Declarations, DeclaredMachine, Locate

__all__ = ["SourceFile", "chosen_machine", "is_assembly", "reference_to", "source_files"]

MANIFEST = "manifest.json"  # of an assembly of the CDK
# What stands for the region and the account where a definition is to be deployed: see cloud.deploy.wiring.
ANYWHERE = ("region", "account")


class SourceFile(NamedTuple):
    """A file that declares state machines.

    ``kind`` names it for people; the files that it names are relative to ``folder``.
    """

    file: str
    kind: str
    text: str
    locate: Locate
    folder: Path
    declared: Declarations

    def path(self, file: str) -> Path:
        """The path of a file or folder that it names."""
        return Path(os.path.normpath(self.folder / file))

    def place(self, location: str) -> str:
        """``template.yaml:12`` for a location in it."""
        line, _ = self.locate(location) or (1, 1)
        return f"{self.file}:{line}"


def reference_to(source: SourceFile, machine: DeclaredMachine, *, shown: bool = False) -> str:
    """What names a machine: from anywhere, or as it is ``shown`` here."""
    return f"{source.file if shown else Path(source.file).absolute()}#{machine.logical}"


def is_assembly(file: str) -> bool:
    """Whether this is a folder that ``cdk synth`` has written."""
    return _exists(file) and Path(file).is_dir() and (Path(file) / MANIFEST).is_file()


def source_files(
    file: str, text: str | None, values: Mapping[str, str], project: Project, *, local: bool = True
) -> list[SourceFile]:
    """What declares state machines there: the template that ``text`` is, or the templates of an assembly.

    An empty list for a file that is none of these.  Raises ``InvalidInput`` for one that cannot be read.
    """
    region, account = (project.region, project.account) if local else ANYWHERE
    around = partial(Surroundings, region, account, given=values)
    if text is None:
        return _assembly(Path(file), around)
    template = recognised_template(text, file)
    if template is None:
        return []
    document, locate = read_template(text, file)
    if not isinstance(document, dict):
        return []
    path = Path(file)
    if (path.parent / MANIFEST).is_file():
        return [one for one in _assembly(path.parent, around) if Path(one.file).name == path.name]
    surroundings = around(stack=path.absolute().parent.name, read=partial(_included, path.parent))
    if template.kind == SERVERLESS:
        from asl_engine.templates.serverless import serverless_declarations
        from asl_engine.templates.serverless_variables import Outside

        outside = Outside(region, account, os.environ, values, partial(_included, path.parent))
        declared = serverless_declarations(document, locate, surroundings, outside)
    elif template.kind == TERRAFORM:
        from asl_engine.templates.terraform import terraform_declarations

        declared = terraform_declarations(document, locate, surroundings)
    else:
        from asl_engine.templates.cloudformation import CloudFormation

        declared = CloudFormation(document, locate, surroundings).declarations()
    return [SourceFile(file, template.kind, text, locate, path.parent, declared)]


def _included(folder: Path, name: str) -> Json:
    """The value of an included JSON or YAML file, the text of another; None where there is none."""
    path = folder / name
    if not path.is_file():
        return None
    text = read_text(str(path), "the included file")
    return read_template(text, str(path))[0] if path.suffix in {".json", ".yml", ".yaml"} else text


def chosen_machine(given: str, files: list[SourceFile], name: str | None) -> tuple[SourceFile, DeclaredMachine]:
    """The machine of this name, or the only one.  Raises ``InvalidInput`` that lists those that there are."""
    there = [(source, machine) for source in files for machine in source.declared.machines]
    found = [one for one in there if name is None or name in one[1].names]
    exact = [one for one in found if name == one[1].logical]
    if len(exact or found) == 1:
        return (exact or found)[0]
    kind = files[0].kind if len(files) == 1 else "an assembly of the CDK"
    if not there:
        raise InvalidInput(f"{given} is {kind}, and it has no state machine")
    listed = "".join(f"\n  {source.place(machine.location)}: {given}#{machine.shown}" for source, machine in there)
    if name is None:
        raise InvalidInput(f"{given} is {kind} with several state machines: name one of them{listed}")
    if found:
        listed = "".join(f"\n  {one.file}#{machine.logical}" for one, machine in found)
        raise InvalidInput(f"{given}: several state machines are called {name}: name one of them{listed}")
    known = [known for _, machine in there for known in machine.names]
    raise InvalidInput(f"{given} has no state machine {name}{did_you_mean(name, known)}; there are{listed}")


def _exists(given: str) -> bool:
    try:
        return Path(given).exists()
    except (OSError, ValueError):
        return False


# -- assemblies of the CDK ------------------------------------------------------------------------------


def _assembly(folder: Path, around: Callable[..., Surroundings]) -> list[SourceFile]:
    readers: list[CloudFormation] = []

    def exported(name: str) -> Json | None:
        values = (reader.exported(name) for reader in readers)
        return next((value for value in values if value is not None), None)

    made = [*_readers(folder, around, exported)]
    readers += [reader for _, reader in made]
    return [source._replace(declared=reader.declarations()) for source, reader in made]


def _readers(
    folder: Path, around: Callable[..., Surroundings], exported: Callable[[str], Json | None]
) -> Iterator[tuple[SourceFile, CloudFormation]]:
    from asl_engine.templates.cdk import nested_assemblies, stacks

    manifest = read_text(str(folder / MANIFEST), "the manifest")
    for stack in stacks(manifest):
        yield _stack(folder, stack, around, exported)
    for nested in nested_assemblies(manifest):
        yield from _readers(folder / nested, around, exported)


def _stack(
    folder: Path,
    stack: AssembledStack,
    around: Callable[..., Surroundings],
    exported: Callable[[str], Json | None],
) -> tuple[SourceFile, CloudFormation]:
    from asl_engine.templates.cdk import asset_paths
    from asl_engine.templates.cloudformation import CloudFormation
    from asl_engine.templates.declarations import Declarations

    file = str(folder / stack.template)
    text = read_text(file, "the template")
    document, locate = read_template(text, file)
    if not isinstance(document, dict):
        raise InvalidInput(f"{file} cannot be read as a template: run `cdk synth` again")
    assets = folder / stack.assets
    paths = asset_paths(read_text(str(assets), "the assets")) if assets.is_file() else {}
    surroundings = around(stack=stack.name, exported=exported, asset=paths.get, read=partial(_included, folder))
    reader = CloudFormation(document, locate, surroundings)
    kind = "a CloudFormation template of the CDK"
    return SourceFile(file, kind, text, locate, folder, Declarations(())), reader
