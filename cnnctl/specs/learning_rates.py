"""Contradictions about the learning rate: who sets it, and whether it can be computed."""

from __future__ import annotations

import re
from collections.abc import Iterator

from cnnctl.catalog import load
from cnnctl.catalog.suggest import nearest
from cnnctl.errors import Diagnostic, Location
from cnnctl.specs.components import Component
from cnnctl.specs.spec import Spec

MAX_EPOCHS_COMPUTED = 10_000
"""How many epochs of a schedule are tried before the training: they take some 0.1 s."""


def rates(spec: Spec) -> Iterator[Diagnostic]:
    """Two that set the learning rate, and averages that nobody keeps."""
    assert spec.compile
    rate = spec.compile.optimizer.arguments.get("learning_rate")
    setters = [c for c in spec.fit.callbacks if c.name in {"LearningRateScheduler",
                                                           "ReduceLROnPlateau"}]  # fmt: skip
    if isinstance(rate, Component):
        for callback in setters:
            yield Diagnostic(
                "two-schedules",
                f"{callback.name} sets the learning rate, and so does the optimizer's {rate.name}",
                callback.location,
                "remove one of the two",
                (f"{rate.name} is in {line_of(rate.location, callback.location)}",),
            )
    averaged = spec.compile.optimizer.arguments.get("use_ema", False)
    for callback in spec.fit.callbacks:
        if callback.name == "SwapEMAWeights" and not (averaged or spec.compile.optimizer.errors):
            yield Diagnostic(
                "no-averages",
                "SwapEMAWeights needs an optimizer that averages the weights",
                callback.location,
                f"add `use_ema: true` to {spec.compile.optimizer.name}",
            )
    if not isinstance(rate, Component) and len(setters) > 1:
        yield Diagnostic(
            "two-schedules",
            f"{setters[1].name} and {setters[0].name} both set the learning rate",
            setters[1].location,
            "remove one of the two",
        )


def schedules(spec: Spec) -> Iterator[Diagnostic]:
    """Every schedule is computed for every epoch, so that none fails in the middle of a run."""
    from cnnctl.specs.rate_expressions import ExpressionError
    from cnnctl.specs.schedules import make

    for callback in spec.fit.callbacks:
        if callback.name != "LearningRateScheduler" or "schedule" in callback.errors:
            continue
        schedule = callback.arguments["schedule"]
        try:
            rate_of = make(schedule, spec.fit.epochs)
            rate = 0.001
            for epoch in range(min(spec.fit.epochs, MAX_EPOCHS_COMPUTED)):
                rate = rate_of(epoch, rate)
        except (ExpressionError, ArithmeticError) as error:
            hint = _schedule_fix(schedule, str(error))
            message = f"the learning rate cannot be computed: {error}"
            yield Diagnostic("bad-schedule", message, callback.place("schedule"), hint)


def _schedule_fix(schedule: str | Component, problem: str) -> str | None:
    """What to do about a learning rate that cannot be computed; of a plug-in its author knows."""
    from cnnctl.specs.rate_expressions import FUNCTIONS

    if isinstance(schedule, Component) and schedule.is_of_plugin:
        return None
    if isinstance(schedule, str):
        if load().find("rate_schedule", schedule):
            return f"write `schedule: {{{schedule}: {{…}}}}`; see `cnnctl layers {schedule}`"
        if function := re.fullmatch(r"lambda\s[^:]*:\s*(.+)", schedule):
            return f"write the expression alone: `{function[1]}`"
        if "^" in schedule:
            return "`**` is the power"
        if unknown := re.match(r"'(\w+)' is not defined|Function '(\w+)' not defined", problem):
            names = ("epoch", "epochs", "lr", "pi", *FUNCTIONS)
            if close := nearest(unknown[1] or unknown[2], names):
                return f"did you mean `{close}`?"
        if "it gives -" in problem:
            return "keep it above 0, as by `max(1e-6, …)`"
    return "it may use epoch (from 0), lr, epochs, pi and arithmetic"


def line_of(place: Location, near: Location) -> str:
    """A place in a note: its line, and its file where that is another."""
    if place.file.startswith("--"):
        return f"`{place.file}`"
    return f"line {place.line}" + (f" of {place.file}" if place.file != near.file else "")
