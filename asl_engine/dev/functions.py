"""The functions of a project, kept as its files say: new code, another handler, another environment.

A call that is under way ends with what it began with; the next one has what is new.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from asl_engine.dev.telling import without_lines
from asl_engine.project.setup import function_settings
from asl_engine.resources.lambda_.local import LocalFunction

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping

    from asl_engine.project.configuration import Project
    from asl_engine.resources.services import NotRunHere, Services
    from asl_engine.store.run_options import RunOptions

__all__ = ["FollowedFunctions"]


class FollowedFunctions:
    """Those of ``services``, which tasks look up whenever they call one.  ``hear`` takes what they write."""

    def __init__(
        self,
        services: Services,
        how: RunOptions,
        hear: Callable[[str, str], None],
        emulated: Mapping[str, str] | None = None,
    ) -> None:
        functions, refused = services.functions, services.refused
        assert isinstance(functions, dict), "services_of makes it"  # noqa: S101  for the type checker
        assert isinstance(refused, dict), "services_of makes it"  # noqa: S101  for the type checker
        self._functions: dict[str, LocalFunction] = functions
        self._refused: dict[str, NotRunHere] = refused
        self._how = how
        self._hear = hear
        self._emulated = emulated
        self._told: dict[str, str] = {}

    def follow(self, project: Project, changed: Collection[str] = ()) -> Iterator[str]:
        """Have the functions of this project; yields what has become of them, and why some cannot run.

        ``changed`` are the paths of files that have changed: functions whose code they are get new processes.
        """
        settings = function_settings(self._how, project, self._emulated)
        for name in [name for name in self._functions if name not in settings]:
            self._functions.pop(name).close()
            if name not in project.refused:
                yield f"the function {name} is gone"
        for name, (configuration, connecting) in settings.items():
            there = self._functions.get(name)
            if there is None:
                self._functions[name] = LocalFunction(configuration, connecting, self._hear)
                if name in self._told:
                    yield f"the function {name} is right again"
                continue
            if (there.function._replace(place=configuration.place), there.connecting) != (
                configuration,
                connecting,
            ):
                self._functions[name] = LocalFunction(configuration, connecting, self._hear)
                there.close()
                yield f"the function {name} has changed: the next calls are the new one's"
                continue
            there.function = configuration  # the line of its declaration may be another
            if any(_is_code_of(there, Path(path)) for path in changed):
                there.renew()
                yield f"the function {name} has new code: the next calls run it"
        self._refused.clear()
        self._refused.update(project.refused)
        for name, why in project.refused.items():
            if self._told.get(name) != without_lines(why.why):
                yield why.why
        self._told = {name: without_lines(why.why) for name, why in project.refused.items()}


def _is_code_of(function: LocalFunction, path: Path) -> bool:
    """Whether a file is below the folder of a function, or below one that it imports from."""
    configuration = function.function
    if configuration.handler is None or configuration.source is not None:
        return False
    places = [configuration.folder, *map(Path, configuration.path)]
    return any(path == place or path.is_relative_to(place) for place in places)
