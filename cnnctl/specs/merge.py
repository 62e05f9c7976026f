"""One tree over another: `extends`, and `--set` from the command line.

The frame of a spec (the document and its sections) is merged key by key. Below it, a component is
merged where both sides name the same class, `{Adam: {learning_rate: 0.1}}` over `{Adam: {beta_1:
0.8}}`; everything else, lists included, is replaced as a whole.
"""

from __future__ import annotations

from cnnctl.catalog.suggest import nearest
from cnnctl.errors import Diagnostic, Location, SpecError
from cnnctl.specs.nodes import LONGEST_SHOWN, Mapping, Node, Scalar, Sequence, shortened
from cnnctl.specs.reader import MAX_DEPTH, read
from cnnctl.specs.source import text_source

FRAME_DEPTH = 2
"""The document and its sections."""

FLAG = "--set"
"""The flag by which the command line changes a value."""


def merge(base: Node, change: Node, depth: int = 0) -> Node:
    """`change` laid over `base`; each value keeps the place where it was written."""
    if not (isinstance(base, Mapping) and isinstance(change, Mapping)):
        return change
    if depth < FRAME_DEPTH:
        return _over(base, change, depth + 1)
    old, new = base.single(), change.single()
    if old and new and old[0] == new[0]:
        name = new[0]
        if isinstance(old[1], Mapping) and isinstance(new[1], Mapping):
            arguments = _over(old[1], new[1], depth + 1)
            return Mapping({name: arguments}, change.location, change.keys)
    return change


def _over(base: Mapping, change: Mapping, depth: int) -> Mapping:
    items, keys = dict(base.items), dict(base.keys)
    for key, value in change.items.items():
        items[key] = merge(items[key], value, depth) if key in items else value
        keys[key] = change.keys[key]
    return Mapping(items, change.location, keys)


def override(root: Node, assignment: str, flag: str = FLAG) -> Node:
    """Apply `fit.epochs=3`: a dotted path and a YAML value.

    A part of the path is a key; inside a list it is an index from 0 (or from the end: -1), the
    `name` of a layer, or the class of a component that stands there once. A component that is
    written as a bare word, or is of another class, becomes the one that the path names.

    Raises:
        SpecError: There is no `=`, the path leads nowhere, or the value is not YAML.
    """
    name = f"{flag} {assignment}"
    path, equals, text = assignment.partition("=")
    start = len(flag) + 1
    everything = Location(name, 1, start + 1, len(assignment), name)
    parts = path.strip().split(".")
    if not equals or not all(parts) or len(parts) > MAX_DEPTH:
        raise SpecError(
            [
                Diagnostic(
                    "bad-override",
                    f"{flag} takes PATH=VALUE",
                    everything,
                    "such as `--set fit.epochs=3`",
                )
            ]
        )
    value = read(text_source(text, name, offset=start + len(path) + 1))
    places, at = [], start + 1
    for part in parts:
        places.append(Location(name, 1, at, len(part), name))
        at += len(part) + 1
    return _set(root, list(zip(parts, places, strict=True)), value, 0)


def _set(node: Node, path: list[tuple[str, Location]], value: Node, depth: int) -> Node:
    if not path:
        return value
    part, place = path[0]
    if isinstance(node, Sequence):
        index = _index(node, part, place)
        rest = path[1:]
        if rest and not _is_number(part):
            # Chosen by name or class, the path goes on to the component's arguments.
            name = _class_of(node.items[index])
            if name and rest[0][0] != name:
                rest = [(name, place), *rest]
        items = list(node.items)
        items[index] = _set(items[index], rest, value, depth + 1)
        return Sequence(tuple(items), node.location)
    if isinstance(node, Mapping):
        single = node.single()
        replaces = depth >= FRAME_DEPTH and single and part != single[0] and part[:1].isupper()
        if not replaces:
            child = node.items.get(part, Mapping({}, place))
            items_ = {**node.items, part: _set(child, path[1:], value, depth + 1)}
            # A key that the path only passes through stays where it is written.
            key = node.keys[part] if part in node.keys and len(path) > 1 else place
            return Mapping(items_, node.location, {**node.keys, part: key})
    child = _set(Mapping({}, place), path[1:], value, depth + 1)
    return Mapping({part: child}, place, {part: place})


def _index(node: Sequence, part: str, place: Location) -> int:
    if _is_number(part):
        index = int(part) if len(part) <= LONGEST_SHOWN else len(node.items)
        if -len(node.items) <= index < len(node.items):
            return index % len(node.items)
        message = (
            f"there is no item {shortened(part)}: the list has {len(node.items)}, counted from 0"
        )
        hint = f"use an index from 0 to {len(node.items) - 1}" if node.items else None
        raise SpecError([Diagnostic("bad-override", message, place, hint)])
    matches = [i for i, item in enumerate(node.items) if _name_of(item) == part]
    matches = matches or [i for i, item in enumerate(node.items) if _class_of(item) == part]
    if len(matches) == 1:
        return matches[0]
    if matches:
        message = f"{len(matches)} items of the list are called `{part}`"
        hint = "name one by its index from 0: " + ", ".join(map(str, matches))
    else:
        message = f"no item of the list is called `{part}`"
        names = [name for item in node.items for name in (_name_of(item), _class_of(item)) if name]
        close = nearest(part, names)
        hint = f"use an index from 0 to {len(node.items) - 1}, or a name"
        hint = f"did you mean `{close}`?" if close else hint
    raise SpecError([Diagnostic("bad-override", message, place, hint)])


def _is_number(part: str) -> bool:
    return part.removeprefix("-").isdecimal()


def _class_of(node: Node) -> str | None:
    if isinstance(node, Scalar):
        return node.value if isinstance(node.value, str) else None
    single = node.single() if isinstance(node, Mapping) else None
    return single[0] if single else None


def _name_of(node: Node) -> str | None:
    single = node.single() if isinstance(node, Mapping) else None
    if single and isinstance(single[1], Mapping):
        name = single[1].items.get("name")
        if isinstance(name, Scalar) and isinstance(name.value, str):
            return name.value
    return None
