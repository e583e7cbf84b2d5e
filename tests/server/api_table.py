"""The generated parts of docs/api.md.  ``python -m tests.server.api_table`` writes them anew.

They are the operations of both APIs, and how many constraints of the service model were tried on a server
(``tests.server.rejections``).
"""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

import botocore

from asl_engine.server.events.table import EVENT_OPERATIONS
from asl_engine.server.operations.table import OPERATIONS
from tests.server.botocore_model import service_model
from tests.server.harness import running
from tests.server.rejections import KINDS, Figures, figures

PAGE = Path(__file__).parents[2] / "docs" / "api.md"
END = "<!-- end -->"
BEGIN = "<!-- operations: python -m tests.server.api_table -->"
EVENTS = "<!-- events: python -m tests.server.api_table -->"
CONSTRAINTS = "<!-- constraints: python -m tests.server.api_table -->"


def table() -> str:
    """One line for each operation of botocore's service model."""
    names = sorted(service_model().operation_names)
    rows = [f"| {name} | {'yes' if name in OPERATIONS else 'not yet'} |" for name in names]
    count = f"{len(OPERATIONS)} of {len(names)} operations are supported."
    return "\n".join([count, "", "| operation | supported |", "|---|---|", *rows])


def constraints(found: Figures) -> str:
    """What the service model of the installed botocore forbids, and how much of it is refused as on AWS."""
    rows = [f"| {kind} | {found.tried[kind]} |" for kind in KINDS]
    of_all = f"Of the {found.tried.total()} constraints of {model()}"
    told = f"{of_all}, {found.agreed} are refused with the error that AWS has for them."
    return "\n".join([told, "", "| constraint | tried |", "|---|---|", *rows])


def events_table() -> str:
    """The operations of EventBridge that are answered, and how many there are."""
    names = sorted(service_model("events").operation_names)
    others = [name for name in names if name not in EVENT_OPERATIONS]
    return (
        f"{len(EVENT_OPERATIONS)} of {len(names)} operations are supported: "
        f"{', '.join(sorted(EVENT_OPERATIONS))}.\n\n"
        f"Not supported are those of partners, API destinations, connections, endpoints and permissions: "
        f"{', '.join(others)}."
    )


def model() -> str:
    """Which service model it is: other versions of botocore have other constraints."""
    return f"the service model in botocore {botocore.__version__}"


def measured() -> Figures:
    """The figures of a server of one's own."""
    with TemporaryDirectory() as folder, running(Path(folder) / "asl.db") as server:
        return figures(server)


def with_part(page: str, begin: str, text: str) -> str:
    """The page with one of its generated parts, which starts with ``begin``."""
    before, _, rest = page.partition(begin)
    _, _, after = rest.partition(END)
    return f"{before}{begin}\n{text}\n{END}{after}"


if __name__ == "__main__":
    written = with_part(PAGE.read_text(encoding="utf-8"), BEGIN, table())
    written = with_part(written, EVENTS, events_table())
    PAGE.write_text(with_part(written, CONSTRAINTS, constraints(measured())), encoding="utf-8")
