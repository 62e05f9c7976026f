"""Components: what a spec constructs, by class name, with arguments.

A component is a class name as the single key with its constructor's arguments as the value, or a
bare word where it takes none: `{Dropout: {rate: 0.3}}`, `Flatten`, `adam`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from cnnctl.catalog import load as load_catalog
from cnnctl.errors import Location

_WITHOUT_SHAPE = re.compile(
    r"(.*_)?(activation|initializer|regularizer|constraint)|dtype|trainable|input_shape"
)
"""Arguments that change no shape."""


@dataclass(frozen=True, slots=True)
class Component:
    """Something to construct.

    Args:
        kind: The catalog's kind: layer, block, optimizer, loss, ….
        name: The canonical name in the catalog, whatever alias the spec used.
        arguments: Plain values, components, and lists of them.
        location: Where its name stands.
        places: Where each argument's value stands, and each of `inputs`: `inputs.0`.
        inputs: For a layer: the names of the layers that feed it; None for the one before.
        written: The name as the spec has it: `Adam`, `adam`, `mse`. Keras reports a metric by it.
        errors: The arguments that have an error, and are left out of `arguments`; an empty string
            for the name itself. Empty in every spec that is used: see `cnnctl.specs.checker`.
    """

    kind: str
    name: str
    arguments: dict[str, Any]
    location: Location
    places: dict[str, Location] = field(default_factory=dict, compare=False)
    inputs: tuple[str, ...] | None = None
    written: str = field(default="", compare=False)
    errors: frozenset[str] = field(default=frozenset(), compare=False)

    def __str__(self) -> str:
        return self.name

    def place(self, argument: str) -> Location:
        """Where an argument's value stands; the component's own place if it is not given."""
        return self.places.get(argument, self.location)

    @property
    def is_of_plugin(self) -> bool:
        """Whether it is neither Keras's nor cnnctl's own."""
        return load_catalog().of_plugin(self.kind, self.name) is not None

    @property
    def shape_is_open(self) -> bool:
        """Whether an error leaves open what the layer does to shapes."""
        return not all(_WITHOUT_SHAPE.fullmatch(error) for error in self.errors)

    def parts(self) -> Iterator[Component]:
        """The components among the arguments, at any depth."""
        for value in self.arguments.values():
            yield from _parts(value)


def _parts(value: Any) -> Iterator[Component]:
    if isinstance(value, Component):
        yield value
        yield from value.parts()
    elif isinstance(value, list):
        for item in value:
            yield from _parts(item)
