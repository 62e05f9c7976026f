"""The network as a graph: blocks written out, every layer named, every input resolved.

`Residual`, `Repeat` and `Parallel` are spellings, not layers: what they stand for is plain Keras,
so that a saved model opens without cnnctl.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace

from cnnctl.errors import Diagnostic, Location, SpecError
from cnnctl.specs.checker import MAX_ERRORS
from cnnctl.specs.components import Component

INPUT = "input"
"""The name of the network's input, for `inputs:`."""

MAX_LAYERS = 10_000
"""How many layers a network may have once its blocks are written out."""

_NAMES_SHOWN = 24
_NAMES_COMPARED = 1000
"""With how many of the names above one that there is not is compared."""


@dataclass(frozen=True, slots=True)
class GraphLayer:
    """One layer of the network.

    Args:
        name: Unique in the network: the spec's own, or Keras's automatic one (`conv2d_1`).
        component: The layer; its arguments are without `name`.
        inputs: The names of the layers that feed it, in order.
    """

    name: str
    component: Component
    inputs: tuple[str, ...]

    @property
    def location(self) -> Location:
        """Where the layer is written."""
        return self.component.location


@dataclass(frozen=True, slots=True)
class Graph:
    """A directed acyclic graph with one input and one output, layers in order of evaluation."""

    layers: tuple[GraphLayer, ...]

    @property
    def output(self) -> str:
        """The name of the layer whose output is the network's."""
        return self.layers[-1].name

    @property
    def is_sequential(self) -> bool:
        """Whether every layer is fed by exactly the one before it."""
        before = INPUT
        for layer in self.layers:
            if layer.inputs != (before,):
                return False
            before = layer.name
        return True


def expand(layers: Iterable[Component]) -> Graph:
    """Write out the blocks of a network and resolve names.

    Raises:
        SpecError: A name is used twice, an input names no layer above it, a layer that merges
            has no inputs, or a layer's output is never used.
    """
    graph, found = draft(layers)
    if found:
        raise SpecError(found)
    return graph


def draft(layers: Iterable[Component]) -> tuple[Graph, list[Diagnostic]]:
    """The graph and its errors.

    A layer that has an error of its own is a layer of the graph; one that is fed by a layer that
    there is not has an input without a name.

    Raises:
        SpecError: It has more than `MAX_LAYERS` layers, or `MAX_ERRORS` errors.
    """
    layers = list(layers)
    builder = _Builder(layers)
    try:
        builder.chain(layers, (INPUT,), {INPUT: INPUT}, "")
        if not builder.found and not any(each.component.shape_is_open for each in builder.done):
            builder.refuse_unused()
    except _Enough:
        raise SpecError(builder.found) from None
    return Graph(tuple(builder.done)), builder.found


class _Enough(Exception):
    """There are more layers than a network may have, or as many errors as anybody reads."""


class _Builder:
    def __init__(self, layers: list[Component]) -> None:
        self.done: list[GraphLayer] = []
        self.found: list[Diagnostic] = []
        self.taken = {INPUT} | _names(layers)
        self.used: set[str] = set()
        self.given: dict[str, Location] = {}
        self.counts: dict[str, int] = {}

    def chain(
        self,
        layers: Iterable[Component],
        flow: tuple[str, ...],
        scope: dict[str, str],
        suffix: str,
    ) -> tuple[str, ...]:
        """Append layers, each fed by the one before; returns what leaves the last one.

        `scope` maps the names that `inputs:` may use to the names in the graph; `suffix` tells
        the copies of a `Repeat` apart.
        """
        for layer in layers:
            flow = self.one(layer, flow, scope, suffix)
        return flow

    def one(
        self, layer: Component, flow: tuple[str, ...], scope: dict[str, str], suffix: str
    ) -> tuple[str, ...]:
        if layer.inputs is not None:
            flow = tuple(
                self.resolve(name, scope, layer.place(f"inputs.{index}"))
                for index, name in enumerate(layer.inputs)
            )
        if layer.kind == "block":
            flow = self.block(layer, flow, scope, suffix)
        else:
            flow = (self.append(layer, flow, suffix),)
        label = layer.arguments.get("name")
        if label:
            if label in self.given and self.given[label] != layer.location:
                first = self.given[label]
                self.say(
                    "repeated-name",
                    f"two layers are called `{label}`",
                    layer.place("name"),
                    f"the first is in line {first.line}",
                )
            self.given[label] = layer.location
            scope[label] = flow[0]
        return flow

    def block(
        self, block: Component, flow: tuple[str, ...], scope: dict[str, str], suffix: str
    ) -> tuple[str, ...]:
        arguments = block.arguments
        if any(key in block.errors - arguments.keys() for key in ("times", "layers", "branches")):
            return (self.append(block, flow, suffix),)  # it cannot be written out
        if block.name == "Repeat":
            if len(self.done) + arguments["times"] > MAX_LAYERS:
                raise self.too_large(block.place("times"), "lower it")
            for time in range(1, arguments["times"] + 1):
                flow = self.chain(arguments["layers"], flow, dict(scope), f"{suffix}_{time}")
            return flow
        if block.name == "Residual":
            main = self.chain(arguments["layers"], flow, dict(scope), suffix)
            side = self.chain(arguments.get("shortcut") or [], flow, dict(scope), suffix)
            add = Component("layer", "Add", {}, block.location)
            flow = (self.append(add, (*main, *side), suffix),)
            if activation := arguments.get("activation"):
                places = {"activation": block.place("activation")}
                after = Component(
                    "layer", "Activation", {"activation": activation}, block.location, places
                )
                flow = (self.append(after, flow, suffix),)
            return flow
        branches = [self.chain(each, flow, dict(scope), suffix) for each in arguments["branches"]]
        if "merge" in block.errors:
            merge = replace(block, name="", arguments={})
        else:
            merge = arguments.get("merge") or Component("layer", "Concatenate", {}, block.location)
        joined = tuple(name for branch in branches for name in branch)
        return (self.append(merge, joined, suffix),)

    def append(self, layer: Component, flow: tuple[str, ...], suffix: str) -> str:
        if len(self.done) >= MAX_LAYERS:
            raise self.too_large(layer.location, "remove layers")
        label = layer.arguments.get("name")
        name = f"{label}{suffix}" if label else self.automatic(layer.name or "layer")
        # A label that two layers were given has its own error; the copies of one differ by suffix.
        if label and self.given.get(label, layer.location) == layer.location:
            taken = name in self.used
            if taken or name == INPUT or "/" in name or not label.strip():
                why = "is taken" if taken else "is no name that a layer can have"
                place = layer.place("name")
                self.say("bad-name", f"the layer name `{name}` {why}", place, "choose another")
        self.used.add(name)
        arguments = {key: value for key, value in layer.arguments.items() if key != "name"}
        self.done.append(GraphLayer(name, replace(layer, arguments=arguments), flow))
        return name

    def automatic(self, class_name: str) -> str:
        """Keras's automatic name, counted in this network alone: conv2d, conv2d_1, ….

        The counter starts anew for every network, so that the same spec gives the same names.
        """
        base = snake_case(class_name)
        while True:
            count = self.counts.get(base, 0)
            self.counts[base] = count + 1
            name = f"{base}_{count}" if count else base
            if name not in self.taken and name not in self.used:
                return name

    def resolve(self, name: str, scope: dict[str, str], place: Location) -> str:
        if name in scope:
            return scope[name]
        from cnnctl.catalog.suggest import nearest

        names = list(scope)
        close = nearest(name, names[-_NAMES_COMPARED:])
        known = ", ".join(["…"] * (len(names) > _NAMES_SHOWN) + names[-_NAMES_SHOWN:])
        self.say(
            "unknown-input",
            f"no layer above is called `{name}`",
            place,
            f"did you mean `{close}`?" if close else None,
            () if close else (f"named above: {known}",),
        )
        return ""

    def refuse_unused(self) -> None:
        """A layer that nothing takes from is a mistake: the network has one output."""
        used = {name for layer in self.done for name in layer.inputs}
        for layer in self.done[:-1]:
            if layer.name not in used:
                self.say(
                    "unused-layer",
                    f"the output of {layer.component} `{layer.name}` is never used",
                    layer.location,
                    "name it in the `inputs` of a later layer, or remove it",
                )

    def say(
        self,
        rule: str,
        message: str,
        place: Location,
        hint: str | None = None,
        notes: tuple[str, ...] = (),
    ) -> None:
        self.found.append(Diagnostic(rule, message, place, hint, notes))
        if len(self.found) >= MAX_ERRORS:
            raise _Enough

    def too_large(self, place: Location, hint: str) -> _Enough:
        message = f"the network has more than {MAX_LAYERS:,} layers"
        self.found.append(Diagnostic("too-large", message, place, hint))
        return _Enough()


def _names(layers: Iterable[Component]) -> set[str]:
    names = set()
    for layer in layers:
        if label := layer.arguments.get("name"):
            names.add(label)
        names |= _names(layer.parts())
    return names


def snake_case(name: str) -> str:
    """Keras's snake case of a class name (`keras.src.utils.naming.to_snake_case`)."""
    name = re.sub(r"\W+", "", name)
    name = re.sub("(.)([A-Z][a-z]+)", r"\1_\2", name)
    return re.sub("([a-z])([A-Z])", r"\1_\2", name).lower()
