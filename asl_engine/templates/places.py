"""Where the resources of a template are written, those among them that were made of something else."""

from __future__ import annotations

__all__ = ["Places"]


class Places:
    """From a location in the resources as they are read to that in the file that they were made of."""

    def __init__(self) -> None:
        self._written: dict[str, str] = {}  # by the location of what was made

    def put(self, made: str, written: str) -> None:
        """Whatever was made at one location, and below it, is written at another, and below that."""
        self._written[made] = written

    def put_all(self, made: str, written: str, names: dict[str, str]) -> None:
        """The same of the members of an object: each name that was made, with the one that is written."""
        self.put(made, written)
        for name, own in names.items():
            self.put(f"{made}/{name}", f"{written}/{own}")

    def written(self, place: str) -> str:
        """The location in the file."""
        at = len(place)
        while at > 0:
            if (found := self._written.get(place[:at])) is not None:
                return found + place[at:]
            at = max(place.rfind("/", 0, at), place.rfind("[", 0, at))
        return place
