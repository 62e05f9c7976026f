"""Check components and their arguments by the catalog, and collect every error on the way."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from cnnctl.catalog import Catalog, Entry
from cnnctl.catalog.suggest import nearest
from cnnctl.errors import Diagnostic, Location
from cnnctl.specs import recovery, value_hints
from cnnctl.specs.components import Component
from cnnctl.specs.nodes import Mapping, Node, Scalar, Sequence, describe, located, plain
from cnnctl.specs.schema import articles, fits_scalar, is_reference, one_of, takes

_INPUT_SHAPES = frozenset({"batch_shape", "input_shape"})
"""Arguments of the first layer in older forms of Keras."""


_EXAMPLES = {
    "callback": "EarlyStopping",
    "dataset": "mnist",
    "layer": "Flatten` or `Dense: {units: 10}",
    "loss": "sparse_categorical_crossentropy",
    "metric": "accuracy",
    "optimizer": "adam",
}
"""A component of a kind, where the first by name is not the best one to show."""

_NAMES: dict[str, Any] = {"type": "array", "items": {"type": "string"}, "minItems": 1}


MAX_ERRORS = 100
"""After how many errors checking stops."""


class TooManyErrors(Exception):
    """There are as many errors as a `Checker` looks for."""


class Checker:
    """Turns nodes into components, and collects every error on the way.

    What is wrong is marked in the component, so that whoever looks further (the graph, the
    arithmetic, the contradictions) reports no error that only follows from another.

    Args:
        catalog: What names there are.
        section_of: Key of a spec → the section that has it, for arguments that belong there.
        limit: After how many errors any method raises `EnoughFaults`.

    Attributes:
        found: The diagnostics so far.
    """

    def __init__(
        self,
        catalog: Catalog,
        section_of: dict[str, str] | None = None,
        limit: int = MAX_ERRORS,
    ) -> None:
        self.catalog = catalog
        self.section_of = section_of or {}
        self.limit = limit
        self.found: list[Diagnostic] = []

    def component(self, node: Node, kind: str) -> Component:
        """The component that a node describes; one without a name, and a diagnostic, if it is
        none."""
        if isinstance(node, Scalar) and isinstance(node.value, str):
            return self._construct(kind, node.value, node.location, None)
        if isinstance(node, Mapping) and node.items:
            name, arguments = next(iter(node.items.items()))
            place = node.keys[name]
            if meant := recovery.class_key(self.catalog, kind, node):
                return self._as_meant(kind, meant, place)
            if len(node.items) > 1:
                return self._as_meant(kind, recovery.several_keys(self.catalog, kind, node), place)
            if isinstance(arguments, Scalar) and arguments.value is None:
                arguments = Mapping({}, arguments.location)
            if isinstance(arguments, Mapping):
                return self._construct(kind, name, place, arguments)
            return self._bare_value(kind, name, place, arguments)
        message = f"{articles(kind)} is a class name, not {describe(node)}"
        self._say(Diagnostic("wrong-type", message, node.location, self._form(kind)))
        return _nameless(kind, node.location)

    def value(self, node: Node, schema: dict[str, Any], what: str) -> Any:
        """The value of a node that has to fit a schema of the catalog.

        Args:
            node: The value as written.
            schema: See `cnnctl.specs.schema`.
            what: How messages call it: "`filters` of Conv2D".
        """
        if "anyOf" in schema:
            return self._any_of(node, schema, what)
        if kind := is_reference(schema):
            return self.component(node, kind)
        if schema.get("type") == "array" and isinstance(node, Sequence):
            if _right_length(node, schema):
                return [self.value(item, schema.get("items", {}), what) for item in node.items]
        elif schema.get("type") == "object" and isinstance(node, Mapping):
            inner = schema.get("additionalProperties", {})
            return {key: self.value(item, inner, what) for key, item in node.items.items()}
        elif not schema or (isinstance(node, Scalar) and fits_scalar(node.value, schema)):
            return plain(node)
        self._wrong(node, schema, what)
        return None

    def fits(self, node: Node, schema: dict[str, Any]) -> bool:
        """Whether a value has no error."""
        try:
            Checker(self.catalog, limit=1).value(node, schema, "")
        except TooManyErrors:
            return False
        return True

    def fix(self, node: Node, schema: dict[str, Any]) -> str | None:
        """What to write instead of a value that does not fit, or None if nothing comes to mind."""
        if self.limit == 1:
            return None  # a guess is being tried: nobody asks for another
        place = node.location
        hint = value_hints.value_fix(
            plain(node), lambda each: self.fits(located(each, place), schema)
        )
        if hint is None and isinstance(node, Scalar) and isinstance(node.value, str):
            close = nearest(node.value, [str(each) for each in _enumerated(schema)])
            hint = f"did you mean `{close}`?" if close else None
        return hint

    def _any_of(self, node: Node, schema: dict[str, Any], what: str) -> Any:
        for alternative in schema["anyOf"]:
            with suppress(TooManyErrors):
                return Checker(self.catalog, limit=1).value(node, alternative, what)
        if self.limit == 1:
            raise TooManyErrors
        engaged = [each for each in schema["anyOf"] if _engages(node, each, schema)]
        if engaged and (isinstance(node, Mapping | Sequence) or not self.fix(node, schema)):
            return self.value(node, engaged[0], what)
        self._wrong(node, schema, what)
        return None

    def _construct(
        self, kind: str, name: str, place: Location, arguments: Mapping | None
    ) -> Component:
        entry = recovery.find_anywhere(self.catalog, kind, name)
        given, errors = arguments or Mapping({}, place), set[str]()
        if entry is None:
            errors |= {"input_shape"} if name in recovery.INPUTS else set()
            meant = recovery.unknown(self.catalog, kind, name, place)
            self._say(meant.error)
            entry = recovery.find(self.catalog, kind, meant.name)
            name, given = meant.name or name, meant.arguments or given
        items = dict(given.items)
        places = {key: node.location for key, node in items.items()}
        inputs = None
        if kind == "layer" and "inputs" in items:
            written = items.pop("inputs")
            names = self._argument(written, _NAMES, f"`inputs` of {name}")
            for index, item in enumerate(written.items if isinstance(written, Sequence) else ()):
                places[f"inputs.{index}"] = item.location
            inputs = tuple(names) if names else None
            errors |= set() if names else {"inputs"}
        if entry is None:
            label = plain(items["name"]) if "name" in items else None
            values = {"name": label} if isinstance(label, str) else {}
            return Component(
                kind, "", values, place, places, inputs, name, frozenset({"", *errors})
            )
        values = self._arguments(entry, items, given.keys, place, errors, places)
        return Component(
            entry.kind, entry.name, values, place, places, inputs, name, frozenset(errors)
        )

    def _as_meant(self, kind: str, meant: recovery.Meant, place: Location) -> Component:
        """Note an error, and go on with what was meant."""
        self._say(meant.error)
        if not meant.name:
            return _nameless(kind, place)
        return self._construct(kind, meant.name, place, meant.arguments)

    def _argument(self, node: Node, schema: dict[str, Any], what: str) -> Any:
        """The value of an argument; None if there is an error in it."""
        before = len(self.found)
        value = self.value(node, schema, what)
        return value if len(self.found) == before else None

    def _arguments(
        self,
        entry: Entry,
        given: dict[str, Node],
        keys: dict[str, Location],
        place: Location,
        errors: set[str],
        places: dict[str, Location],
    ) -> dict[str, Any]:
        known = {argument.name: argument for argument in entry.arguments}
        values = {}
        misspelled = set()
        for key, node in given.items():
            meant = key
            if key in entry.managed:
                message = f"`{key}` of {entry.name} cannot be given: {entry.managed[key]}"
                fix = "remove it"
                if key in _INPUT_SHAPES:
                    errors.add("input_shape")
                    fix += ", or move it to `model: {input_shape: …}`"
                self._say(Diagnostic("managed-argument", message, keys[key], fix))
                continue
            if key not in known:
                mistake = recovery.unknown_argument(
                    self.catalog, entry, key, keys[key], given, self.section_of
                )
                self._say(mistake.error)
                misspelled.add(mistake.name)
                if mistake.name and mistake.is_certain:
                    meant = mistake.name
                    places[meant] = node.location
                else:
                    errors |= {key if mistake.name is None else mistake.name} - {""}
                    continue
            before = len(self.found)
            value = self.value(node, known[meant].schema, f"`{meant}` of {entry.name}")
            # A block's layers and a schedule are looked at further even if one has an error.
            if len(self.found) == before or _is_whole(value):
                values[meant] = value
            if len(self.found) > before:
                errors.add(meant)
        for argument in entry.arguments:
            if argument.required and argument.name not in {*given, *misspelled}:
                errors.add(argument.name)
                message = f"{entry.name} needs `{argument.name}`: {takes(argument.schema)}"
                fix = f"add `{argument.name}: …` to its arguments"
                if not given:
                    fix = f"write `{entry.name}: {{{argument.name}: …}}`"
                self._say(Diagnostic("missing-argument", message, place, fix))
        return values

    def _bare_value(self, kind: str, name: str, place: Location, node: Node) -> Component:
        entry = recovery.find_anywhere(self.catalog, kind, name)
        if entry is None:
            meant = recovery.unknown(self.catalog, kind, name, place)
        else:
            meant = recovery.bare_value(self.catalog, kind, entry, name, node)
        self._say(meant.error)
        if entry is None or not meant.name:
            return _nameless(kind, place)
        return self._construct(kind, meant.name, place, meant.arguments)

    def _form(self, kind: str) -> str:
        return f"such as `{_EXAMPLES.get(kind) or self.catalog.names(kind)[0]}`"

    def _wrong(self, node: Node, schema: dict[str, Any], what: str) -> None:
        message = f"{what} takes {takes(schema)}, not {describe(node)}"
        self._say(Diagnostic("wrong-value", message, node.location, self.fix(node, schema)))

    def _say(self, error: Diagnostic) -> None:
        self.found.append(error)
        if len(self.found) >= self.limit:
            raise TooManyErrors


def _nameless(kind: str, place: Location) -> Component:
    return Component(kind, "", {}, place, errors=frozenset({""}))


def _is_whole(value: Any) -> bool:
    """Whether it is a component with a name, or a list that holds components, or lists of them."""
    if isinstance(value, list):
        return all(isinstance(each, Component) or _is_whole(each) for each in value)
    return isinstance(value, Component) and bool(value.name)


def _engages(node: Node, alternative: dict[str, Any], schema: dict[str, Any]) -> bool:
    """Whether an error inside this alternative is the one to report."""
    if isinstance(node, Mapping):
        return is_reference(alternative) is not None
    if isinstance(node, Sequence) and alternative.get("type") == "array":
        return _right_length(node, alternative)
    if isinstance(node, Scalar) and isinstance(node.value, str):
        others = [a for a in schema["anyOf"] if a is not alternative and a.get("type") != "null"]
        return is_reference(alternative) is not None and not others
    return False


def _right_length(node: Sequence, schema: dict[str, Any]) -> bool:
    count = len(node.items)
    return bool(schema.get("minItems", 0) <= count <= schema.get("maxItems", count))


def _enumerated(schema: dict[str, Any]) -> list[Any]:
    found = [value for value in one_of(schema) or () if value is not None]
    for alternative in schema.get("anyOf", []):
        found.extend(_enumerated(alternative))
    return found
