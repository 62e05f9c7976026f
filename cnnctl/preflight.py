"""Everything that can be known of a spec without its pictures and without TensorFlow."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from cnnctl import arithmetic
from cnnctl.data.sources import SOURCES
from cnnctl.errors import Diagnostic, SpecError, UsageError
from cnnctl.spec import Component, Spec, load, rules

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
    spec = load(path, overrides)
    shape = input_shape(spec)
    if shape is None:
        return Checked(spec, None)
    trace = arithmetic.trace(spec.graph, shape)
    if not trace.unknown and (faults := list(rules.outputs(spec, trace.output_shape))):
        raise SpecError(faults)
    if spec.data and spec.data.label_mode != "float" and not trace.unknown:
        name, classes = _classes(spec.data.dataset)
        if classes:
            compare_outputs(spec, trace.output_shape[-1], classes, name)
    return Checked(spec, trace)


def input_shape(spec: Spec) -> tuple[int, ...] | None:
    """The shape of one picture, from the spec or from what its named data set is known to hold."""
    known = _picture_shape(spec)
    if spec.model.input_shape is not None:
        given = tuple(spec.model.input_shape)
        if known is not None and given not in {known, with_channels(known)}:
            assert spec.data is not None
            raise SpecError(
                [
                    Diagnostic(
                        "input-shape",
                        f"the pictures of {spec.data.dataset} are {list(with_channels(known))}, "
                        f"and `input_shape` is {list(given)}",
                        spec.place("model", "input_shape"),
                        f"write `input_shape: {list(with_channels(known))}`, or leave it out",
                    )
                ]
            )
        return given
    if spec.data is None:
        raise SpecError(
            [
                Diagnostic(
                    "missing-key",
                    "`model.input_shape` is missing, and there is no `data` to take it from",
                    spec.tree.keys["model"],
                    "add `input_shape: [height, width, channels]`",
                )
            ]
        )
    return with_channels(known) if known is not None else None


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


def compare_outputs(spec: Spec, outputs: int | None, classes: int, data: str) -> None:
    """Raise a `SpecError` unless the network has an output for each class, and no other.

    A network with more outputs than classes would train without a word, and wrongly. Two classes
    may share one output.
    """
    if outputs is None or outputs == classes or (classes == 2 and outputs == 1):
        return
    last = spec.graph.layers[-1].component
    raise SpecError(
        [
            Diagnostic(
                "class-count",
                f"the network has {outputs} outputs, and {data} has {classes} classes",
                last.place("units"),
                f"{classes} outputs are needed",
            )
        ]
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
    if name == "cifar100" and dataset.arguments.get("label") == "coarse":
        return "cifar100 (coarse)", len(SOURCES[name].coarse_names)
    if name in SOURCES:
        return name, len(SOURCES[name].class_names)
    return name, 2 if name == "xo" else 0
