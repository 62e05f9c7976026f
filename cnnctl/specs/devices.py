"""What a spec asks of the computation of a step, and cannot have."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from cnnctl.errors import Diagnostic
from cnnctl.specs import Component, Spec
from cnnctl.specs.batch import ONE_DRAW, may_only, within

IN_BRANCHES = ("gradient_accumulation_steps", "ema_overwrite_frequency")
"""Arguments of an optimizer by which Keras updates weights in some steps only: in a branch of the
graph, in which TensorFlow lets no replica wait for another."""


def device_errors(spec: Spec, batch_dependent: Iterable[Component]) -> Iterator[Diagnostic]:
    """Parts or replicas that would compute something else than one batch, and XLA where it cannot
    compile.

    Args:
        spec: A checked spec with `compile`.
        batch_dependent: What sees the batch as a whole. Whether a plug-in's layer or loss does is
            for its author to say.
    """
    assert spec.compile is not None
    own = [each for each in batch_dependent if not may_only(each)]
    if spec.compile.parts not in ("auto", 1) and own:
        message = f"{own[0]} looks at the batch as a whole, which `compile.parts` would cut"
        hint = "leave `compile.parts` away, or set it to 1"
        yield Diagnostic("parts-of-a-whole", message, own[0].location, hint)
    by_xla = spec.compile.jit_compile is True
    if by_xla and spec.deterministic:
        yield Diagnostic(
            "xla-and-determinism",
            "`jit_compile` would be left out: Keras lets XLA compile nothing where all operations "
            "have to be deterministic",
            spec.place("compile", "jit_compile"),
            "add `deterministic: false`, or leave `jit_compile` away",
        )
    if spec.fit.distribute != "none":
        yield from _across_devices(own)
        yield from _of_optimizer(spec)
        yield from _of_penalties(spec)
        if by_xla:
            yield Diagnostic(
                "devices-and-xla",
                "XLA does not compile the step that several devices make, and `jit_compile` is "
                "true",
                spec.place("compile", "jit_compile"),
                "leave `jit_compile` away, or `fit.distribute`",
            )


def _across_devices(own: list[Component]) -> Iterator[Diagnostic]:
    for each in own:
        if each.name in ONE_DRAW:
            continue  # each device draws for its share
        if each.name == "BatchNormalization":
            if each.arguments.get("synchronized") is True:
                continue
            message = f"{each} would see another batch on every device of `fit.distribute`"
            hint = "add `synchronized: true`"
        else:
            message = f"{each} looks at the batch as a whole, which `fit.distribute` would cut"
            hint = "leave one of the two away"
        yield Diagnostic("devices-of-a-whole", message, each.location, hint)


def _of_optimizer(spec: Spec) -> Iterator[Diagnostic]:
    assert spec.compile is not None
    for component in within(spec.compile.optimizer):
        for name in IN_BRANCHES:
            if component.arguments.get(name) is not None:
                yield Diagnostic(
                    "devices-and-branches",
                    f"`{name}` updates in some steps only, which TensorFlow cannot do on several "
                    "devices (`fit.distribute`)",
                    component.place(name),
                    "leave one of the two away",
                )


def _of_penalties(spec: Spec) -> Iterator[Diagnostic]:
    """Penalties on outputs. Where devices wait for each other in the middle of the network, Keras
    mixes theirs up: a layer keeps one list of them for all."""
    layers = [each for layer in spec.graph.layers for each in within(layer.component)]
    if not any(each.arguments.get("synchronized") is True for each in layers):
        return
    for each in layers:
        if each.name == "ActivityRegularization":
            place = each.location
        elif each.arguments.get("activity_regularizer") is not None:
            place = each.place("activity_regularizer")
        else:
            continue
        yield Diagnostic(
            "devices-and-penalties",
            f"the penalties of {each} on several devices (`fit.distribute`) get mixed up where "
            "those wait for each other in a synchronized BatchNormalization",
            place,
            "leave one of the three away",
        )
