"""Everything that can be known of a spec without its pictures and without TensorFlow."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from cnnctl import arithmetic
from cnnctl.data.sources import SOURCES
from cnnctl.errors import Diagnostic, SpecError, UsageError
from cnnctl.spec import Component, Spec, rules
from cnnctl.spec.loading import draft, in_order

SUFFIXES = (".yaml", ".yml")


@dataclass(frozen=True)
class Checked:
    """A spec that has passed.

    Args:
        spec: The spec.
        trace: Its shapes and parameters; None where only the pictures tell the input shape.
    """

    spec: Spec
    trace: arithmetic.Trace | None


def preflight(path: str | Path, overrides: Iterable[str] = ()) -> Checked:
    """Read a spec, work out its shapes, and hold its outputs against its data set's classes.

    Raises:
        UsageError: There is no such file.
        SpecError: The spec has faults, a layer does not fit its input, or the number of outputs is
            not the number of classes.
    """
    spec, found = draft(path, overrides)
    trace = _shapes(spec, found) if spec else None
    if spec is None or found:
        raise SpecError(in_order(found, path))
    return Checked(spec, trace)


def _shapes(spec: Spec, found: list[Diagnostic]) -> arithmetic.Trace | None:
    """The shapes of a spec, or of a draft as far as they can be told; notes the faults."""
    found.extend(_input_faults(spec))
    shape = input_shape(spec)
    trace = None
    if shape is not None:
        try:
            trace = arithmetic.trace(spec.graph, shape)
        except SpecError as error:
            found.extend(error.diagnostics)
    if "data.label_mode" in spec.doubtful:
        return trace
    outputs = _outputs(spec, trace)
    if trace and outputs and "model.layers" not in spec.doubtful:
        found.extend(rules.outputs(spec, outputs))
    if outputs and spec.data and spec.data.label_mode != "float":
        name, classes = _classes(spec.data.dataset)
        if classes:
            found.extend(compare_outputs(spec, outputs[-1], classes, name))
    return trace


def _outputs(spec: Spec, trace: arithmetic.Trace | None) -> tuple[int, ...]:
    """The shape of the network's output; of one that ends in a faulty chain and a `Dense`, the
    number of its units; empty if it cannot be told."""
    last = spec.graph.layers[-1]
    if trace and trace.layers and trace.layers[-1].name == last.name:
        return trace.layers[-1].output_shape
    units = last.component.arguments.get("units")
    return (units,) if last.component.name == "Dense" and units else ()


def input_shape(spec: Spec) -> tuple[int, ...] | None:
    """The shape of one picture, from the spec or from what its named data set is known to hold."""
    if "model.input_shape" in spec.doubtful:
        return None
    if spec.model.input_shape is not None:
        return tuple(spec.model.input_shape)
    known = _picture_shape(spec)
    return with_channels(known) if known is not None else None


def _input_faults(spec: Spec) -> Iterator[Diagnostic]:
    """What an input shape cannot be, beside a data set whose pictures are known."""
    known = _picture_shape(spec)
    given = tuple(spec.model.input_shape or ())
    if given and spec.data and known is not None and given not in {known, with_channels(known)}:
        yield Diagnostic(
            "input-shape",
            f"the pictures of {spec.data.dataset} are {list(with_channels(known))}, "
            f"and `input_shape` is {list(given)}",
            spec.place("model", "input_shape"),
            f"write `input_shape: {list(with_channels(known))}`, or leave it out",
        )
    if not given and spec.data is None and not spec.doubtful & {"data", "model.input_shape"}:
        yield Diagnostic(
            "missing-key",
            "`model.input_shape` is missing, and there is no `data` to take it from",
            spec.tree.keys["model"],
            "add `input_shape: [height, width, channels]`",
        )


def _picture_shape(spec: Spec) -> tuple[int, ...] | None:
    """The shape of a picture as stored, where the data set's name tells it."""
    if spec.data is None:
        return None
    name = spec.data.dataset.name
    if name in SOURCES:
        return SOURCES[name].shape
    return (9, 9, 1) if name == "xo" else None


def with_channels(shape: tuple[int, ...]) -> tuple[int, ...]:
    """A picture's shape with its channels: a grey picture is often stored without."""
    return (*shape, 1) if len(shape) == 2 else shape


def compare_outputs(
    spec: Spec, outputs: int | None, classes: int, data: str
) -> Iterator[Diagnostic]:
    """The fault of a network that has not an output for each class, and no other.

    A network with more outputs than classes would train without a word, and wrongly. Two classes
    may share one output.
    """
    if outputs is None or outputs == classes or (classes == 2 and outputs == 1):
        return
    yield Diagnostic(
        "class-count",
        f"the network has {outputs} outputs, and {data} has {classes} classes",
        spec.graph.layers[-1].component.place("units"),
        f"{classes} outputs are needed",
    )


def specs_in(path: Path) -> list[Path]:
    """The specs that a path means: itself, or every YAML file below a folder, in order.

    Raises:
        UsageError: There is no such path, or no spec in it.
    """
    if not path.is_dir():
        return [path]
    found = sorted(each for each in path.rglob("*") if each.suffix in SUFFIXES and each.is_file())
    found = [each for each in found if not _is_in_run(each)]
    if not found:
        raise UsageError(f"no spec in {path}", hint="a spec is a file that ends in .yaml")
    return found


def _is_in_run(path: Path) -> bool:
    """Whether a file is one of a run folder's, which are copies."""
    folders = (path.parent, path.parent.parent)
    return any((f / "checkpoints").is_dir() and (f / "spec.yaml").is_file() for f in folders)


def _classes(dataset: Component) -> tuple[str, int]:
    """A data set's name and its number of classes, 0 where only its files tell."""
    name = dataset.name
    if dataset.faults:
        return name, 0
    if name == "cifar100" and dataset.arguments.get("label") == "coarse":
        return "cifar100 (coarse)", len(SOURCES[name].coarse_names)
    if name in SOURCES:
        return name, len(SOURCES[name].class_names)
    return name, 2 if name == "xo" else 0
