"""What a sweep varies: lists and ranges of values, each at a path of the spec."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from cnnctl.errors import Diagnostic, Location, SpecError
from cnnctl.specs.dump import flow
from cnnctl.specs.nodes import Node, describe, plain
from cnnctl.specs.nodes import Sequence as Items
from cnnctl.specs.reader import read
from cnnctl.specs.source import text_source

FLAG = "--over"
"""The flag by which the command line gives a list of values."""

Value = str | int | float
"""What a trial gets: YAML text from a list, a number from a range."""


@dataclass(frozen=True)
class Parameter:
    """One value of the spec that is varied.

    Args:
        path: Where it is in the spec, as for `--set`.
        kind: `choice`, `int`, `uniform` or `log_uniform`.
        values: The YAML texts of a choice.
        low, high: The ends of a range.
        step: Of a range of integers.
        place: Where the path is written.
        places: Where the values are written, or the two ends of the range.
    """

    path: str
    kind: str = "choice"
    values: tuple[str, ...] = ()
    low: float = 0
    high: float = 0
    step: int = 1
    place: Location = field(default=Location(FLAG), compare=False)
    places: tuple[Location, ...] = field(default=(), compare=False)

    @property
    def samples(self) -> tuple[Value, ...]:
        """Values to check before anything is trained: all of a list, the ends of a range, and of
        real numbers one between."""
        if self.kind == "choice":
            return self.values
        if self.kind == "int":
            return (self.low, self.points[-1])
        # And one between, which is no integer where the ends are.
        return (self.low, self.high, self.low + 0.6180339887 * (self.high - self.low))

    @property
    def points(self) -> Sequence[Value]:
        """Every value, where they can be counted; of a range of real numbers, none."""
        if self.kind == "choice":
            return self.values
        if self.kind == "int":
            return range(int(self.low), int(self.high) + 1, self.step)
        return ()

    def assignment(self, value: Value) -> str:
        """A value as `--set` takes it."""
        return f"{self.path}={value if isinstance(value, str) else flow(value)}"

    def to_dict(self) -> dict[str, Any]:
        """What it is, as the file of ranges has it."""
        if self.kind == "choice":
            return {"choice": list(self.values)}
        step = {"step": self.step} if self.step != 1 else {}
        return {self.kind: [self.low, self.high], **step}


Space = tuple[Parameter, ...]


def parse_over(assignments: Sequence[str]) -> list[Parameter]:
    """Read `PATH=V1,V2` from the command line.

    The values are those of a YAML list: `[3, 3],[5, 5]` are two, and so are `relu,elu`.

    Raises:
        SpecError: One has no `=`, no value, a value twice, or is not YAML; all faults.
    """
    found: list[Parameter] = []
    faults: list[Diagnostic] = []
    for each in assignments:
        try:
            found.append(_over(each))
        except SpecError as error:
            faults.extend(error.diagnostics)
    if faults:
        raise SpecError(faults)
    return found


def _over(assignment: str) -> Parameter:
    name = f"{FLAG} {assignment}"
    path, equals, text = assignment.partition("=")
    start = len(FLAG) + 1
    place = Location(name, 1, start + 1, max(len(path), 1), name)
    if not equals or not path.strip() or not text.strip():
        hint = "such as `--over fit.batch_size=32,64`"
        raise SpecError([Diagnostic("bad-over", f"{FLAG} takes PATH=V1,V2,…", place, hint)])
    # The bracket stands where the `=` is shown, so that places are those of the flag.
    node = read(text_source(f"[{text}]", name, offset=start + len(path)))
    assert isinstance(node, Items)
    return choice(path.strip(), node.items, place)


def choice(path: str, nodes: Sequence[Node], place: Location) -> Parameter:
    """A list of values as a parameter.

    Raises:
        SpecError: A value stands there twice.
    """
    texts = [flow(plain(each)) for each in nodes]
    for index, (text, node) in enumerate(zip(texts, nodes, strict=True)):
        if text in texts[:index]:
            message = f"{describe(node)} is given twice for {path}"
            raise SpecError([Diagnostic("repeated-value", message, node.location, "remove one")])
    return Parameter(
        path, values=tuple(texts), place=place, places=tuple(each.location for each in nodes)
    )


def join(parameters: Sequence[Parameter]) -> Space:
    """Parameters from flags and a file together.

    Raises:
        SpecError: Two are the same value of the spec, or one is inside the other.
    """
    faults = []
    for one, other in itertools.combinations(parameters, 2):
        short, long = sorted((one.path, other.path), key=len)
        if short == long:
            message, hint = f"{short} is varied twice", "write its values into one list"
        elif long.startswith(f"{short}."):
            message = f"{short} and {long} are both varied, and the one is inside the other"
            hint = "vary one of them; a list may hold whole components: `{SGD: {momentum: 0.9}}`"
        else:
            continue
        faults.append(Diagnostic("varied-twice", message, other.place, hint))
    if faults:
        raise SpecError(faults)
    return tuple(parameters)


def size(space: Space) -> float:
    """How many combinations there are; infinite where a range of real numbers is among them."""
    return math.prod(len(each.points) or math.inf for each in space)


def grid(space: Space) -> Iterator[dict[str, Value]]:
    """Every combination, the last parameter varying fastest."""
    for values in itertools.product(*(each.points for each in space)):
        yield dict(zip((each.path for each in space), values, strict=True))


def assignments(space: Space, values: Mapping[str, Value]) -> list[str]:
    """The `--set` assignments of a combination."""
    return [each.assignment(values[each.path]) for each in space]


def short_names(space: Space) -> dict[str, str]:
    """Path → the end of it that tells it from the other paths: `learning_rate`."""
    paths = [each.path.split(".") for each in space]
    found = {}
    for parts in paths:
        count = 1
        while any(other != parts and other[-count:] == parts[-count:] for other in paths):
            count += 1
        found[".".join(parts)] = ".".join(parts[-count:])
    return found
