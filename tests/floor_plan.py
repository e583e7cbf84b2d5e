"""The floor plan, from the bottom: the one list that the architecture test and docs/architecture.md read.

A module imports from its own place in this list and from those before it.  The longest prefix that fits
decides; a package's name stands for all that is in it.  ``python -m tests.floor_plan`` writes the page's table.
"""

from __future__ import annotations

from pathlib import Path

PLAN = {
    "json_values": "JSON as Python values; absent is not null",
    "findings": "what is wrong with a definition, where, and what to do about it",
    "errors": "errors of the language, which a Catch can see, and errors that the caller can put right",
    "limits": "AWS's limits, each with a switch",
    "arn": "the only module that knows the colons and slashes of an ARN",
    "json_text": "reading JSON as strictly as AWS does, and writing it",
    "json_places": "where a value's text stands in that of its document",
    "payload": "a value together with its text, each made from the other at most once",
    "splicing": "payloads whose text is put together from those of others",
    "expressions": "paths, templates, choice rules, intrinsic functions and JSONata, each compiled once",
    "core": "events, what they make of an execution, and what follows from a stimulus",
    "states": "the state types, one file each: fields, compilation, behaviour; what several share is beside them",
    "language": "from the text of a definition to a machine, or to findings; lint, placeholders, YAML",
    "events.language": "what the rules of a bus are written in: event patterns, transformers, schedules",
    "events.target_kinds": "what can be a target of a rule, by its ARN",
    "templates": "what files of SAM, CDK, Serverless and Terraform declare: machines, functions, events, ...",
    "store.run_options": "how an execution is run, as it is stored with it",
    "store.records": "what a store tells of executions, machines, activities and Map Runs",
    "store.bus_records": "what a store tells of event buses: rules, events, deliveries, archives, replays",
    "store.mapping_records": "what a store tells of event source mappings: shards, batches that were given up",
    "projections": "events and executions in the shapes that AWS gives them",
    "inspection": "one state by itself, looked at from outside: TestState",
    "graph": "a definition as a picture: ranks, order, places; SVG, terminal, Mermaid, DOT",
    "visits": "what an execution did: AWS's history as a log, a log as visits of states, their outline",
    "patterns": "definitions made of what people think in: a saga",
    "folders": "folders that are there after a power cut",
    "datasets": "what a distributed Map reads and writes",
    "store": "where executions are kept: the protocol, SQLite, memory",
    "resources": "what a Task can call: Python, Lambda, AWS services, HTTP, nested executions, mocks",
    "engine": "the only place where the core meets the world: append, then act; timers, queues, Map Runs",
    "events": "a bus in EventBridge's shape: accepted, kept with its deliveries, delivered",
    "project": "what all faces share: configuration, definitions, inputs, lookup, an engine put together",
    "mappings": "queues and streams that are polled, and functions called with batches of their records",
    "server": "the Step Functions API over HTTP: the wire protocol, and one module for each group of operations",
    "gateway": "HTTP APIs in API Gateway's shape: routes to functions and state machines",
    "practice": "what operators and functions want: what was done is not done again; logs, counts",
    "emulation": "AWS's other services on this machine: moto in its own process, with what a project declares",
    "cloud": "the way to real AWS: deploy, export, remote, workers",
    "api": "one call from Python",
    "testing": "state machines under test: with mocks, in virtual time, and what the tests cover",
    "costing": "what executions cost on AWS, and where they head for its quotas",
    "views": "an execution to look at: a tree of states, a waterfall, marks on its graph, one HTML page",
    "lab": "past executions at the desk: brought home from AWS, forked, reviewed, pinned",
    "console": "executions, machines and waiting tasks in a browser, live, beside the API",
    "debugging": "a debugger: executions held, edited, stepped back; the Debug Adapter Protocol",
    "exploring": "a definition tried out: every error given once, every rule sought, and what follows from it",
    "agents": "the project as tools for agents: an MCP server",
    "dev": "a project at work: machines, functions, APIs and rules in a server, kept as its files say",
    "__init__": "the public names",
    "cli": "the command line: one file a command",
    "__main__": "`python -m asl_engine`",
}
LAST_PURE = "inspection"  # up to here nothing knows a clock, a file, a socket or an event loop
ORDER = list(PLAN)

PAGE = Path(__file__).parents[1] / "docs" / "architecture.md"
BEGIN, END = "<!-- floor plan -->\n", "<!-- end of floor plan -->\n"


def table() -> str:
    lines = ["| from the bottom | what it is |", "|---|---|"]
    for name, what in PLAN.items():
        package = (Path(__file__).parents[1] / "asl_engine" / name).is_dir()
        lines.append(f"| `{name}{'/' if package else ''}` | {what} |")
        if name == LAST_PURE:
            lines.append("| | *above: pure. Below: clocks, files, sockets, the event loop* |")
    return "\n".join(lines) + "\n"


def page(text: str) -> str:
    """The page with its table written anew."""
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}{table()}{END}{after}"


if __name__ == "__main__":
    PAGE.write_text(page(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
