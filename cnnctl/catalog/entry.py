"""What the catalog knows about one name: an `Entry` and its `Argument`s."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Argument:
    """One constructor argument that a spec may give.

    Args:
        name: Keras's own name of it.
        schema: What values fit: JSON Schema, of which only the keywords made in
            `cnnctl.catalog.schemas` occur. A nested component is
            `{"$ref": "#/$defs/<kind>"}`.
        required: Whether a spec must give it.
        default: The value used where it is left out; None if `required`.
        doc: One or two sentences in plain text, at most about 200 characters.
    """

    name: str
    schema: dict[str, Any]
    required: bool = False
    default: Any = None
    doc: str = ""


@dataclass(frozen=True, slots=True)
class Entry:
    """One name that a spec may use.

    Args:
        kind: One of `cnnctl.catalog.KINDS`: `layer`, `optimizer`, `loss`, …
        name: The class name, or an identifier in snake case where there is no class
            (activations, data sets, rate schedules).
        identifiers: Other spellings that Keras accepts: `adam`, `mse`, `MaxPool2D`.
        summary: One line that says what it is.
        arguments: In the order of the constructor.
        managed: Keras arguments that a spec may not give, each with the reason.
        inputs: How a layer is called: with `one` tensor, with a `list` of tensors (`Add`),
            or with several `positional` tensors (`MultiHeadAttention`).
        direction: Of a metric or a loss: whether its better values are the larger ones (`up`) or
            the smaller ones (`down`); empty where Keras does not say, as for counts.
        source: `keras`, `cnnctl`, or a plug-in's file.
        registered: Of a plug-in: the class or function itself.
    """

    kind: str
    name: str
    identifiers: tuple[str, ...] = ()
    summary: str = ""
    arguments: tuple[Argument, ...] = ()
    managed: dict[str, str] = field(default_factory=dict)
    inputs: str = "one"
    direction: str = ""
    source: str = "keras"
    registered: Any = field(default=None, compare=False, repr=False)

    @property
    def is_of_plugin(self) -> bool:
        """Whether it is neither Keras's nor cnnctl's own."""
        return self.source not in {"keras", "cnnctl"}

    def argument(self, name: str) -> Argument | None:
        """Return the argument of that name, or None."""
        return next((argument for argument in self.arguments if argument.name == name), None)


def from_stored(kind: str, name: str, stored: Mapping[str, Any]) -> Entry:
    """Make an entry of its form in `keras.json`, which leaves out what is the default."""
    return Entry(
        kind=kind,
        name=name,
        identifiers=tuple(stored.get("identifiers", ())),
        summary=stored["summary"],
        arguments=tuple(Argument(**argument) for argument in stored.get("arguments", ())),
        managed=dict(stored.get("managed", {})),
        inputs=stored.get("inputs", "one"),
        direction=stored.get("direction", ""),
    )


def to_stored(entry: Entry) -> dict[str, Any]:
    """Return an entry in its form in `keras.json`: plain data, without what is the default."""
    stored: dict[str, Any] = {"summary": entry.summary}
    if entry.identifiers:
        stored["identifiers"] = list(entry.identifiers)
    if entry.managed:
        stored["managed"] = entry.managed
    if entry.inputs != "one":
        stored["inputs"] = entry.inputs
    if entry.direction:
        stored["direction"] = entry.direction
    if entry.arguments:
        stored["arguments"] = [_argument_to_stored(argument) for argument in entry.arguments]
    return stored


def _argument_to_stored(argument: Argument) -> dict[str, Any]:
    value = {"required": True} if argument.required else {"default": argument.default}
    return {"name": argument.name, "schema": argument.schema, "doc": argument.doc, **value}
