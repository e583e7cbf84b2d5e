"""What is told of a stop, in words: the same in the terminal and in an editor."""

from __future__ import annotations

from typing import TYPE_CHECKING

from asl_engine.debugging.places import Failure, chain, frame_title
from asl_engine.graph.text import visible
from asl_engine.projections.causes import readable_cause

if TYPE_CHECKING:
    from collections.abc import Iterable

    from asl_engine.core.frames import Frame
    from asl_engine.debugging.gate import Stop
    from asl_engine.debugging.places import View

__all__ = ["failure_text", "place_text", "stop_text", "thread_title"]


def failure_text(failure: Failure | None) -> str:
    """``PaymentError: no money``, on one line."""
    if failure is None:
        return ""
    return visible(": ".join(part for part in (failure.error, readable_cause(failure.cause)) if part))


def thread_title(frame: Frame | None, name: str) -> str:
    """``iteration 2 of ShipItems``, or the execution's name; the innermost first."""
    titles = [title for one in chain(frame) if (title := frame_title(one))]
    return ", ".join(titles) or name


def place_text(view: View) -> str:
    """``before Pay``, ``at an error of Pay: PaymentError: no money``"""
    frame, place = view.frame, view.place
    if frame is None:
        text = failure_text(place.failure) or _ending(view)
        return f"the execution has ended: {view.execution.status}{f' with {text}' if text else ''}"
    who = view.execution.identity
    where = thread_title(frame, "" if who.map_run is None else f"the child {who.name[:8]} of {who.map_run}")
    within = f", in {where}" if where else ""
    if place.kind == "before":
        return f"before {view.state}{within}"
    if place.kind == "end":
        return f"at the end of {where or 'the execution'}, after {frame.state}"
    if place.kind == "error":
        return f"at an error of {frame.state}{within}: {failure_text(place.failure) or frame.error}"
    return f"within {frame.state}{within}"


def _ending(view: View) -> str:
    return failure_text(Failure(view.execution.error, view.execution.cause))


def stop_text(stop: Stop, view: View, awaited: Iterable[str] = ()) -> str:
    """Why it stands where it stands."""
    text = place_text(view)
    if stop.reason == "breakpoint":
        numbers = ", ".join(str(one.number) for one in stop.breakpoints)
        faults = "".join(f"\n  {one.fault}" for one in stop.breakpoints if one.fault)
        return f"{text}  (breakpoint {numbers}){faults}"
    if stop.reason == "error":
        return f"{text}  ({'a Retry or a Catch takes it' if stop.caught else 'nothing catches it'})"
    if stop.reason == "waiting":
        return "\n".join([f"{text}, which waits for an answer:", *(f"  {one}" for one in awaited)])
    return text
