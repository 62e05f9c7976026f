"""Every value that a sweep may give to the spec, checked before anything is trained."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from cnnctl.catalog.suggest import nearest
from cnnctl.errors import Diagnostic, Location, SpecError, UsageError
from cnnctl.preflight import check as preflight
from cnnctl.preflight import vary
from cnnctl.specs import Spec, monitor_rules
from cnnctl.specs.merge import FLAG
from cnnctl.specs.metrics import is_reported, mode_of, reported
from cnnctl.sweep.space import Parameter, Space, Value

COMPANY = 64
"""With how many combinations of the others a value is tried that does not pass alone."""


def check(path: Path, overrides: Sequence[str], space: Space) -> Spec:
    """Check the spec, and each value of each parameter in it.

    A value that does not pass beside the spec's own others may pass beside those of the sweep (a
    pooling window and a kernel, say). Combinations that contradict themselves all the same are
    found when their turn comes, and fail with their reason.

    Args:
        path: The spec.
        overrides: The `--set` assignments.
        space: What is varied.

    Returns:
        The spec, without the sweep's values.

    Raises:
        UsageError: There is no such file.
        SpecError: The spec has faults, or values of the sweep do; all that were found.
    """
    spec = preflight(path, overrides).spec
    spec.require("data", "compile")
    faults: dict[Diagnostic, None] = {}
    for parameter in space:
        for index, value in enumerate(parameter.samples):
            found = _faults(spec, [parameter.assignment(value)])
            if found and not _passes_in_company(spec, space, parameter, value):
                faults |= dict.fromkeys(_told(each, parameter, index, value) for each in found)
    if faults:
        raise SpecError(faults)
    return spec


def _faults(spec: Spec, overrides: Sequence[str]) -> tuple[Diagnostic, ...]:
    try:
        vary(spec, overrides)
    except SpecError as error:
        return error.diagnostics
    return ()


def _passes_in_company(spec: Spec, space: Space, parameter: Parameter, value: Value) -> bool:
    """Whether a value passes beside some values of the other parameters."""
    others = [each for each in space if each is not parameter]
    combinations = itertools.product(*(each.samples for each in others))
    for values in itertools.islice(combinations, COMPANY if others else 0):
        beside = [each.assignment(v) for each, v in zip(others, values, strict=True)]
        if not _faults(spec, [*beside, parameter.assignment(value)]):
            return True
    return False


def _told(fault: Diagnostic, parameter: Parameter, index: int, value: Value) -> Diagnostic:
    """A fault of an assignment, at the place where the sweep's user wrote the value."""
    assignment = parameter.assignment(value)
    place = fault.location
    if place is None or place.file != f"{FLAG} {assignment}":
        return replace(fault, notes=(*fault.notes, f"with {assignment}"))
    before = len(FLAG) + 1
    if place.column > before + len(parameter.path):
        return replace(fault, location=parameter.places[min(index, len(parameter.places) - 1)])
    return replace(fault, location=_within(parameter, place.column - before, place.length))


def _within(parameter: Parameter, column: int, length: int) -> Location:
    """A part of the path, where the path is written."""
    whole = parameter.place
    return replace(whole, column=whole.column + column - 1, length=length)


def monitor_of(spec: Spec, given: str | None) -> tuple[str, bool]:
    """The figure by which trials are compared, and whether it is best where it is largest.

    Args:
        spec: The spec.
        given: What the user asks for; None for what the spec's `ModelCheckpoint` watches, else
            `val_loss`, or `loss` where no images are held out.

    Raises:
        UsageError: It is not reported, is one of the test set, or neither Keras nor the spec says
            whether it is better higher or lower.
    """
    validates = monitor_rules.validates(spec)
    mode: str | None = "auto"
    monitor = "val_loss" if validates else "loss"
    for component in spec.fit.callbacks:
        if component.name == "ModelCheckpoint":
            monitor = component.arguments.get("monitor", "val_loss")
            mode = component.arguments.get("mode", "auto")
    if given is not None and given != monitor:
        monitor, mode = given, "auto"
    known = reported(spec, validates)
    if monitor.startswith("test_"):
        raise UsageError(
            f"`{monitor}` cannot be monitored: values that are chosen by the test set fit it",
            hint="hold out images with `data.validation`, and monitor a figure of theirs",
        )
    if not is_reported(spec, monitor, validates):
        raise UsageError(f"no training reports `{monitor}`", hint=_instead(monitor, known))
    mode = mode_of(spec, monitor) if mode == "auto" else mode
    if mode is None:
        raise UsageError(
            f"Keras does not say whether `{monitor}` is better higher or lower",
            hint="write it into the spec: `fit: {callbacks: [{ModelCheckpoint: "
            f"{{monitor: {monitor}, mode: max}}}}]}}`, or `mode: min`",
        )
    return monitor, mode == "max"


def _instead(monitor: str, known: Sequence[str]) -> str:
    if monitor.removeprefix("val_") in known:
        return f"add `data.validation: 0.1`, or monitor `{monitor.removeprefix('val_')}`"
    close = nearest(monitor, known)
    return f"did you mean {close}?" if close else f"there are {', '.join(known)}"


def labels(space: Space) -> Iterator[str]:
    """Each parameter in a line, for people."""
    for each in space:
        if each.kind == "choice":
            yield f"{each.path}: {', '.join(each.values)}"
        else:
            step = f" in steps of {each.step}" if each.step != 1 else ""
            yield f"{each.path}: {each.kind} from {each.low:g} to {each.high:g}{step}"
