"""Where a project's root is, and what its configuration may say."""

from __future__ import annotations

from pathlib import Path

import pytest

from asl_engine.errors import ProjectError
from asl_engine.project.configuration import Project, find_project, normal


def lay(root: Path, *names: str, **texts: str) -> None:
    """Files and folders below ``root``: a name that ends in / is a folder; ``asl`` stands for asl.toml."""
    for name in names:
        path = root / name
        (path if name.endswith("/") else path.parent).mkdir(parents=True, exist_ok=True)
        if not name.endswith("/"):
            path.write_text("")
    for name, text in texts.items():
        (root / f"{name}.toml").write_text(text)


ROOTS = {
    "a definition in statemachines": (["shop/statemachines/m.json"], "shop/statemachines/m.json", "shop"),
    "the folder statemachines itself": (["statemachines/m.json"], "statemachines", "statemachines"),
    "the nearest tasks": (["shop/tasks/", "shop/a/b/m.json"], "shop/a/b/m.json", "shop"),
    "the nearest .asl": (["shop/tasks/", "shop/a/.asl/", "shop/a/b/m.json"], "shop/a/b/m.json", "shop/a"),
    "the nearest pyproject.toml": (["shop/pyproject.toml", "shop/a/m.json"], "shop/a/m.json", "shop"),
    "the folder itself": (["shop/tasks/"], "shop", "shop"),
    "nothing at all": (["shop/a/m.json"], "shop/a/m.json", "shop/a"),
    "a definition that does not exist": (["shop/a/"], "shop/a/m.json", "shop/a"),
}


@pytest.mark.parametrize(("names", "start", "root"), ROOTS.values(), ids=ROOTS)
def test_the_root_without_a_configuration(tmp_path: Path, names: list[str], start: str, root: str) -> None:
    lay(tmp_path, *names)
    home = tmp_path / root
    assert find_project(tmp_path / start, {}) == Project(home, (home / "tasks",), home / ".asl/asl.db")


def test_the_defaults(tmp_path: Path) -> None:
    project = find_project(tmp_path, {"AWS_REGION": "eu-west-1", "AWS_DEFAULT_REGION": "eu-west-1"})
    assert (project.region, project.account) == ("us-east-1", "123456789012")
    assert (project.lambda_endpoint, project.use_lambda, project.source) == (None, False, None)
    assert (project.isolation, project.max_deaths) == ("none", 2)


FULL = """
tasks = ["jobs", "more/ship.py"]
db = "data/runs.db"
region = "eu-central-1"
account = "000000000000"
lambda-endpoint = "http://localhost:3001"
lambda = true
keep = "30d"
buckets = { local = "data", "other.bucket" = "/srv/other" }
isolation = "process"
max-deaths = 3
"""


@pytest.mark.parametrize("name", ["asl", "pyproject"])
def test_every_key(tmp_path: Path, name: str) -> None:
    lay(tmp_path, "jobs/", "more/ship.py", "deep/er/tasks/", "deep/er/m.json")
    lay(tmp_path, **{name: FULL if name == "asl" else f"[tool.asl]{FULL}"})
    assert find_project(tmp_path / "deep/er/m.json", {}) == Project(
        root=tmp_path,
        tasks=(tmp_path / "jobs", tmp_path / "more/ship.py"),
        db=tmp_path / "data/runs.db",
        region="eu-central-1",
        account="000000000000",
        lambda_endpoint="http://localhost:3001",
        use_lambda=True,
        keep="30d",
        buckets={"local": tmp_path / "data", "other.bucket": Path("/srv/other")},
        isolation="process",
        max_deaths=3,
        source=tmp_path / f"{name}.toml",
    )


def test_an_empty_configuration_marks_the_root(tmp_path: Path) -> None:
    lay(tmp_path, "a/tasks/", asl="")
    assert find_project(tmp_path / "a", {}) == Project(
        tmp_path, (tmp_path / "tasks",), tmp_path / ".asl/asl.db", source=tmp_path / "asl.toml"
    )


def test_the_nearest_configuration_wins(tmp_path: Path) -> None:
    lay(tmp_path, "a/b/", asl="account = '000000000001'")
    lay(tmp_path / "a", pyproject="[tool.asl]\naccount = '000000000002'")
    lay(tmp_path / "a/b", pyproject="[tool.other]\nasl = 1")
    assert find_project(tmp_path / "a/b", {}).account == "000000000002"
    lay(tmp_path / "a", asl="account = '000000000003'")
    assert find_project(tmp_path / "a/b", {}).account == "000000000003"
    assert find_project(tmp_path, {}).account == "000000000001"


@pytest.mark.parametrize("text", ["[project]\nname = 'asl'", "tool = 1 # asl", "[tool]\nasline = 1", "not TOML ["])
def test_a_pyproject_that_does_not_mean_us(tmp_path: Path, text: str) -> None:
    lay(tmp_path, pyproject=text)
    assert find_project(tmp_path, {}).source is None


def test_one_place_of_tasks_and_no_place_at_all(tmp_path: Path) -> None:
    lay(tmp_path, "jobs/", asl='tasks = "jobs"')
    assert find_project(tmp_path, {}).tasks == (tmp_path / "jobs",)
    lay(tmp_path, asl="tasks = []")
    assert find_project(tmp_path, {}).tasks == ()


@pytest.mark.parametrize("configured", [True, False])
def test_asl_db_is_relative_to_the_current_directory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, configured: bool
) -> None:
    lay(tmp_path, "a/", "here/", **({"asl": 'db = "x.db"'} if configured else {}))
    monkeypatch.chdir(tmp_path / "here")
    assert find_project(tmp_path / "a", {"ASL_DB": "runs.db"}).db == tmp_path / "here/runs.db"
    assert find_project(tmp_path / "a", {"ASL_DB": str(tmp_path / "b.db")}).db == tmp_path / "b.db"
    default = tmp_path / ("x.db" if configured else "a/.asl/asl.db")
    assert find_project(tmp_path / "a", {"ASL_DB": ""}).db == default


def test_a_relative_start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lay(tmp_path, "statemachines/order.json")
    monkeypatch.chdir(tmp_path)
    start = (tmp_path / "statemachines/order.json").relative_to(tmp_path)
    assert find_project(start, {}).root == tmp_path


REFUSED = {
    "an unknown key": ("colour = 1", "there is no key 'colour'; Allowed are tasks, db, region, account,"),
    "a near miss": ("task = 'tasks'", "there is no key 'task'; did you mean 'tasks'? Allowed are"),
    "a number for tasks": (
        "tasks = 3",
        'tasks has to be a path or a list of paths, such as "tasks"; it is 3',
    ),
    "a number in tasks": ("tasks = ['a', 3]", "tasks has to be a path or a list of paths"),
    "an empty path": ("tasks = ''", "tasks has to be a path or a list of paths"),
    "an empty db": ("db = ''", "db has to be a path"),
    "a flag for db": ("db = true", "db has to be a path"),
    "an empty region": ("region = ''", "region has to be the name of an AWS region"),
    "a list for region": ("region = []", "region has to be the name of an AWS region"),
    "a number for account": ("account = 123456789012", "account has to be twelve digits in quotes"),
    "a short account": ("account = '1234'", "account has to be twelve digits in quotes"),
    "no URL": ("lambda-endpoint = 'localhost:3001'", "lambda-endpoint has to be a URL"),
    "a text for lambda": ("lambda = 'yes'", "lambda has to be true or false; it is 'yes'"),
    "another isolation": ("isolation = 'thread'", 'isolation has to be "none" or "process"; it is \'thread\''),
    "no death": ("max-deaths = 0", "max-deaths has to be a number of processes, at least 1; it is 0"),
    "a flag for deaths": ("max_deaths = true", "max_deaths has to be a number of processes, at least 1"),
    "a key twice": (
        "lambda-endpoint = 'http://a'\nlambda_endpoint = 'http://b'",
        "lambda_endpoint is given twice, with - and with _",
    ),
    "a missing place": ("tasks = ['nowhere']", "tasks: there is no "),
    "broken": ("tasks = [", "this is not TOML: "),
    "broken on line 2": ("db = 'a'\nregion 3", "(at line 2, column 8)"),
}


@pytest.mark.parametrize(("text", "message"), REFUSED.values(), ids=REFUSED)
def test_a_configuration_that_is_refused(tmp_path: Path, text: str, message: str) -> None:
    lay(tmp_path, asl=text)
    with pytest.raises(ProjectError) as caught:
        find_project(tmp_path, {})
    assert str(caught.value).startswith(f"{tmp_path / 'asl.toml'}: ")
    assert message in str(caught.value)


def test_a_configuration_that_is_not_text(tmp_path: Path) -> None:
    (tmp_path / "asl.toml").write_bytes(b"db = '\xff'")
    with pytest.raises(ProjectError, match=r"asl\.toml: this is not TOML"):
        find_project(tmp_path, {})


@pytest.mark.parametrize(
    ("text", "message"),
    [("[tool]\nasl = 3", "tool.asl has to be a table"), ("[tool.asl]\ndb = ", "this is not TOML")],
)
def test_a_pyproject_that_is_refused(tmp_path: Path, text: str, message: str) -> None:
    lay(tmp_path, pyproject=text)
    with pytest.raises(ProjectError) as caught:
        find_project(tmp_path, {})
    assert str(caught.value).startswith(f"{tmp_path / 'pyproject.toml'}: {message}")


@pytest.mark.parametrize("name", ["asl.toml", "pyproject.toml"])
def test_a_configuration_that_cannot_be_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """Rights are not what decides: the tests may run as root."""
    (tmp_path / name).write_text("[tool.asl]")
    read = Path.read_bytes

    def refused(path: Path) -> bytes:
        if path == tmp_path / name:
            raise PermissionError(13, "Permission denied")
        return read(path)

    monkeypatch.setattr(Path, "read_bytes", refused)
    with pytest.raises(ProjectError, match=f"cannot read .*{name}: Permission denied"):
        find_project(tmp_path, {})


def test_dots_are_left_out_of_the_database_where_that_leads_to_the_same_file(tmp_path: Path) -> None:
    (tmp_path / "a" / "b").mkdir(parents=True)
    (tmp_path / "link").symlink_to(tmp_path / "a" / "b")
    assert find_project(tmp_path / "a" / "..", {}).db == tmp_path / ".asl" / "asl.db"
    assert normal(tmp_path / "link" / ".." / "x.db") == tmp_path / "link" / ".." / "x.db"
