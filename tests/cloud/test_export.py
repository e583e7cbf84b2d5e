"""``asl export``: templates that pass cfn-lint, a configuration that parses and has the provider's names."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import zipfile
from base64 import b64encode
from fnmatch import fnmatchcase
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any

import hcl2
import pytest

from asl_engine.cloud.export.hcl import Block, Raw, document, quoted
from tests.cli.project import machine, task

if TYPE_CHECKING:
    from tests.cli.project import Project

ARGUMENTS = json.loads((Path(__file__).parent / "terraform_arguments.json").read_text(encoding="utf-8"))
META = {"depends_on"}
LINT = "from cfnlint.runner import main; main()"
HERE = "arn:aws:lambda:region:account:function"
PLAIN = machine(Done={"Type": "Pass"})
# Everything at once: functions, a parameter in an ARN and alone, a literal dollar, JSONata, a distributed map.
FULL = machine(
    Double={"Type": "Task", "Resource": f"{HERE}:double"},
    AddOne=task("add_one"),
    Store={
        "Type": "Task",
        "Resource": "arn:aws:states:::dynamodb:putItem",
        "Parameters": {"TableName": "${Table}", "Item": {"id": {"S": 'a \\ "quoted" %{ $ text'}}},
    },
    Elsewhere={"Type": "Task", "Resource": "${OtherFunctionArn}"},
    Child={
        "Type": "Task",
        "Resource": "arn:aws:states:::states:startExecution.sync:2",
        "Parameters": {"StateMachineArn": "arn:aws:states:region:account:stateMachine:child"},
    },
)
SETTINGS = """
[deploy]
alias = "live"
tracing = true
environment = { STAGE = "a ${literal} \\"quote\\"" }
reserved-concurrency = 2
[deploy.logging]
level = "ERROR"
group = "arn:aws:logs:eu-west-1:123456789012:log-group:/aws/vendedlogs/states/m"
"""
ROLES = """
[deploy]
role = "arn:aws:iam::123456789012:role/r"
function-role = "arn:aws:iam::123456789012:role/f"
type = "EXPRESS"
"""
MORE_TASKS = """
from asl_engine import task


@task("addOne")
def other(event):
    return event


@task("1st")
def first(event):
    return event
"""
# What a template would take for its own, and tasks whose names are one but for their spelling.
AWKWARD = machine(
    AddOne=task("add_one"),
    Again=task("addOne"),
    First=task("1st"),
    Store={
        "Type": "Task",
        "Resource": "arn:aws:states:::dynamodb:putItem",
        "Parameters": {"TableName": 'we"ird ${ x } ${!y} %{z}', "Item": {"id": {"S": "${}"}}},
    },
)
CASES: dict[str, tuple[dict[str, Any], str, list[str]]] = {
    "plain": (PLAIN, "", []),
    "full": (FULL, SETTINGS, ["--with-functions"]),
    "awkward": (AWKWARD, "", ["--with-functions"]),
    "roles of one's own": (
        machine(Double=task("double")),
        ROLES,
        ["--with-functions"],
    ),
}


def exported(project: Project, form: str, case: str) -> dict[str, str]:
    definition, settings, options = CASES[case]
    if case == "awkward":
        (project.root / "tasks" / "more.py").write_text(MORE_TASKS, encoding="utf-8")
    (project.root / "asl.toml").write_text(settings, encoding="utf-8")
    result = project.asl("export", project.define("m", definition), "--format", form, *options)
    assert result.code == 0, result.err
    files = [Path(line) for line in result.out.splitlines()]
    assert sorted(file.name for file in files) == sorted(file.name for file in (project.root / "export").iterdir())
    return {file.name: file.read_text(encoding="utf-8") for file in files if file.suffix != ".zip"}


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("form", ["sam", "cloudformation"])
def test_templates_pass_cfn_lint(project: Project, form: str, case: str) -> None:
    exported(project, form, case)
    command = [sys.executable, "-c", LINT, "--template", "export/template.json", "--regions", "eu-west-1"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, ""), done.stdout + done.stderr


@pytest.mark.parametrize("form", ["sam", "cloudformation"])
def test_cfn_lint_is_really_asked(project: Project, form: str) -> None:
    template = json.loads(exported(project, form, "full")["template.json"])
    template["Resources"]["StateMachine"]["Properties"]["StateMachineTypo"] = 1
    Path("export/template.json").write_text(json.dumps(template), encoding="utf-8")
    command = [sys.executable, "-c", LINT, "--template", "export/template.json"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert "StateMachineTypo" in done.stdout


def test_a_template_defines_the_machine_to_the_letter(project: Project) -> None:
    files = exported(project, "cloudformation", "full")
    resources = json.loads(files["template.json"])["Resources"]
    properties = resources["StateMachine"]["Properties"]
    assert properties["DefinitionString"] == files["m.asl.json"]
    versions = {
        resource["Properties"]["FunctionName"]["Ref"]: {"Ref": name}
        for name, resource in resources.items()
        if resource["Type"] == "AWS::Lambda::Version"
    }
    source = json.dumps(FULL)
    for name, placeholder in (("double", "DoubleFunctionArn"), ("add_one", "AddOneFunctionArn")):
        source = re.sub(rf'"arn:aws:lambda:[^"]*:{name}"', f'"${{{placeholder}}}"', source)
    source = source.replace("states:region:account:", "states:${AwsRegion}:${AwsAccount}:")
    assert files["m.asl.json"] == source
    assert properties["DefinitionSubstitutions"] == {
        "AwsRegion": {"Ref": "AWS::Region"},
        "AwsAccount": {"Ref": "AWS::AccountId"},
        "DoubleFunctionArn": versions["DoubleFunction"],
        "AddOneFunctionArn": versions["AddOneFunction"],
        "Table": {"Ref": "Table"},
        "OtherFunctionArn": {"Ref": "OtherFunctionArn"},
    }


def test_the_policy_of_a_template_names_what_is_used(project: Project) -> None:
    template = json.loads(exported(project, "cloudformation", "full")["template.json"])
    (policy,) = template["Resources"]["StateMachineRole"]["Properties"]["Policies"]
    text = json.dumps(policy)
    assert '"Fn::Sub": "arn:${AWS::Partition}:dynamodb:${AWS::Region}:${AWS::AccountId}:table/${Table}"' in text
    assert '"Fn::Sub": "${OtherFunctionArn}"' in text
    assert '"Fn::Sub": "arn:aws:states:${AWS::Region}:${AWS::AccountId}:stateMachine:child"' in text
    assert "function:m-double" in text


# -- functions: versions, and what may invoke them ------------------------------------------------------


def named_by_the_definition(form: str, files: dict[str, str]) -> set[str]:
    """The ARNs of functions that the definition has once a tool has deployed it; each version is number 7."""
    if form == "terraform":
        (line,) = [line for line in files["main.tf"].splitlines() if line.lstrip().startswith("definition ")]
        names = hcl2.loads(files["main.tf"])["resource"]
        functions = {
            label.strip('"'): body["function_name"].strip('"')
            for one in names
            for kind, labelled in one.items()
            if kind.strip('"') == "aws_lambda_function"
            for label, body in labelled.items()
        }
        used = re.findall(r"aws_lambda_function\.(\w+)\.(\w+)", line)
        assert {attribute for _, attribute in used} == {"qualified_arn"}
        return {f"arn:function:{functions[label]}:7" for label, _ in used}
    resources = json.loads(files["template.json"])["Resources"]
    found = set()
    for value in resources["StateMachine"]["Properties"]["DefinitionSubstitutions"].values():
        target = value["Ref"]
        if target.endswith(".Version"):  # what SAM makes of a function with AutoPublishAlias
            function = target.removesuffix(".Version")
            assert resources[function]["Properties"]["AutoPublishAlias"] == "deployed"
        elif "Version" in target:
            function = resources[target]["Properties"]["FunctionName"]["Ref"]
        else:
            continue
        found.add(f"arn:function:{resources[function]['Properties']['FunctionName']}:7")
    return found


def allowed_by_the_role(form: str, files: dict[str, str]) -> list[str]:
    """The patterns of functions that may be invoked."""
    text = files["main.tf" if form == "terraform" else "template.json"]
    return [f"arn:function:{name}" for name in re.findall(r":function:([\w-]+(?::\*)?)\"", text)]


@pytest.mark.parametrize("form", ["sam", "cloudformation", "terraform"])
def test_the_role_may_invoke_what_the_definition_names(project: Project, form: str) -> None:
    files = exported(project, form, "full")
    named = named_by_the_definition(form, files)
    assert named == {"arn:function:m-double:7", "arn:function:m-add_one:7"}
    allowed = allowed_by_the_role(form, files)
    assert sorted(allowed) == ["arn:function:m-add_one:*", "arn:function:m-double:*"]
    assert all(any(fnmatchcase(arn, pattern) for pattern in allowed) for arn in named)


def versions(project: Project, settings: str = SETTINGS) -> dict[str, Any]:
    """The version resources of a template, by their names."""
    (project.root / "asl.toml").write_text(settings, encoding="utf-8")
    result = project.asl("export", project.define("m", FULL), "--format", "cloudformation", "--with-functions")
    assert result.code == 0, result.err
    resources = json.loads(Path("export/template.json").read_text(encoding="utf-8"))["Resources"]
    return {name: one for name, one in resources.items() if one["Type"] == "AWS::Lambda::Version"}


def test_other_code_or_another_configuration_is_another_version(project: Project) -> None:
    """A version cannot be changed: another resource takes its place, and the one before stays."""
    first = versions(project)
    assert versions(project) == first
    assert all(one["DeletionPolicy"] == one["UpdateReplacePolicy"] == "Retain" for one in first.values())
    with zipfile.ZipFile("export/functions.zip") as archive:
        assert archive.testzip() is None
    digest = b64encode(sha256(Path("export/functions.zip").read_bytes()).digest()).decode()
    assert {one["Properties"]["CodeSha256"] for one in first.values()} == {digest}
    tasks = project.root / "tasks" / "callables.py"
    tasks.write_text(f"{tasks.read_text(encoding='utf-8')}\n# changed\n", encoding="utf-8")
    second = versions(project)
    assert not second.keys() & first.keys()
    third = versions(project, f"{SETTINGS}\n[deploy.functions.double]\nmemory = 512\n")
    changed = {second[name]["Properties"]["FunctionName"]["Ref"] for name in second.keys() - third.keys()}
    assert changed == {"DoubleFunction"}


def test_the_command_says_how_to_deploy_the_files(project: Project) -> None:
    path = project.define("m", machine(Double=task("double")))
    said = project.asl("export", path, "--with-functions", "--format", "cloudformation").err
    key = re.search(r"aws s3 cp export/functions.zip s3://BUCKET/(m-[0-9a-f]{16}\.zip) && ", said)
    assert key, said
    assert "--capabilities CAPABILITY_IAM --parameter-overrides CodeBucket=BUCKET" in said
    template = json.loads(Path("export/template.json").read_text(encoding="utf-8"))
    code = template["Resources"]["DoubleFunction"]["Properties"]["Code"]
    assert code == {"S3Bucket": {"Ref": "CodeBucket"}, "S3Key": key[1]}
    alone = project.asl(
        "export", path, "--role", "arn:aws:iam::123456789012:role/r", "--format", "cloudformation"
    ).err
    assert alone.endswith("aws cloudformation deploy --template-file export/template.json --stack-name m\n")


@pytest.mark.parametrize("case", CASES)
def test_terraform_has_the_names_of_the_provider(project: Project, case: str) -> None:
    configuration = hcl2.loads(exported(project, "terraform", case)["main.tf"])
    kinds = set()
    for resource in configuration["resource"]:
        ((kind, named),) = resource.items()
        kinds.add(kind.strip('"'))
        known = ARGUMENTS[kind.strip('"')]
        (body,) = named.values()
        given = plain(body)
        assert given.keys() <= {*known[""], *META}, kind
        for name in known.keys() - {""}:
            for block in given.get(name, ()):
                assert plain(block).keys() <= set(known[name]), (kind, name)
    assert "aws_sfn_state_machine" in kinds
    if case == "full":
        assert kinds == ARGUMENTS.keys() - {"source"}


def plain(body: dict[str, Any]) -> dict[str, Any]:
    """The arguments; the parser adds marks of its own."""
    return {name: value for name, value in body.items() if not name.startswith("__")}


def test_terraform_fills_in_what_the_definition_leaves_open(project: Project) -> None:
    files = exported(project, "terraform", "full")
    (line,) = [line for line in files["main.tf"].splitlines() if line.lstrip().startswith("definition ")]
    for name in set(re.findall(r"\$\{(\w+)\}", files["m.asl.json"])):
        assert f'"$${{{name}}}"' in line, name
    assert "aws_lambda_function.add_one.qualified_arn" in line
    assert "var.other_function_arn" in line
    assert '"$${literal}' not in line
    assert 'STAGE = "a $${literal} \\"quote\\""' in files["main.tf"]
    assert ':table/${var.table}"' in files["main.tf"]


def test_the_code_is_the_one_that_would_be_deployed(project: Project) -> None:
    exported(project, "terraform", "full")
    with zipfile.ZipFile("export/functions.zip") as archive:
        assert "asl_handler.py" in archive.namelist()


def test_what_is_refused(project: Project) -> None:
    path = project.define("m", PLAIN)
    refused = project.asl("export", path, "--format", "pulumi")
    assert (refused.code, refused.out) == (2, "")
    assert "--format pulumi: it is sam, cloudformation, terraform" in refused.err
    broken = project.define("broken", '{"StartAt": "A", "States": {"A": {"Type": "Pass", "Next": "B"}}}')
    refused = project.asl("export", broken)
    assert refused.code == 2
    assert "MISSING_TRANSITION_TARGET" in refused.err
    for option, value in (("--alias", "live:1"), ("--role", "foo"), ("--type", "FAST")):
        refused = project.asl("export", path, option, value)
        assert (refused.code, refused.out) == (2, "")
        assert f"{option} {value}".replace("live:1", "'live:1'") in refused.err
    assert not (project.root / "export").exists()
    (project.root / "taken").write_text("")
    refused = project.asl("export", path, "--output", "taken")
    assert refused.code == 2
    assert "cannot write" in refused.err


@pytest.mark.parametrize("name", ["StateMachine", "CodeBucket", "Version", "for_each", "tableName"])
def test_a_parameter_takes_no_name_that_is_taken(project: Project, name: str) -> None:
    store = {"TableName": "${TableName}", "Item": {"id": {"S": f"${{{name}}}"}}}
    put = {"Type": "Task", "Resource": "arn:aws:states:::dynamodb:putItem", "Parameters": store}
    refused = project.asl("export", project.define("m", machine(Put=put)), "--format", "terraform")
    assert (refused.code, refused.out) == (2, "")
    assert f"${{{name}}} has to be given a value" in refused.err


def test_functions_whose_names_are_alike_are_kept_apart(project: Project) -> None:
    template = json.loads(exported(project, "cloudformation", "awkward")["template.json"])
    made = {
        name: resource["Properties"]["Handler"]
        for name, resource in template["Resources"].items()
        if resource["Type"] == "AWS::Lambda::Function"
    }
    assert made == {
        "AddOneFunction": "asl_handler.add_one",
        "AddOne2Function": "asl_handler.addOne",
        "Task1stFunction": "asl_handler.1st",
    }
    assert 'we\\"ird ${! x } ${!!y}' in json.dumps(template["Resources"]["StateMachineRole"])


TEXTS = ["plain", 'a "quote"', "back\\slash", "${not} $${twice} %{nor}", "line\nbreak\ttab", "grüße"]


@pytest.mark.parametrize("text", TEXTS)
def test_a_quoted_text_is_read_as_it_was(text: str) -> None:
    written = quoted(text)
    read = written[1:-1]
    for escape, meaning in (("$${", "${"), ("%%{", "%{")):
        read = read.replace(escape, meaning)
    assert json.loads(f'"{read}"') == text
    assert hcl2.loads(document([Block("a", ("b",), [("c", text), ("d", Raw("e.f")), ("g", [])])]))
