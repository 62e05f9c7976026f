"""Everything that can be known of a spec without its images and without TensorFlow."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path

from cnnctl import plugins
from cnnctl.arithmetic.checked import Checked
from cnnctl.arithmetic.shape_rules import check_shapes
from cnnctl.catalog import shipped
from cnnctl.data import static_checks
from cnnctl.data.pixels import with_channels
from cnnctl.errors import Diagnostic, SpecError, UsageError
from cnnctl.io.arguments import as_texts
from cnnctl.io.path_kinds import is_broken_run, is_run, refuse_other
from cnnctl.runs.find import spec_path
from cnnctl.runs.run import Run
from cnnctl.specs import AnySpec, Spec, load
from cnnctl.specs.class_count import compare_outputs
from cnnctl.specs.devices import device_errors
from cnnctl.specs.difference import Difference, differences
from cnnctl.specs.loading import draft, in_order, redraft, still_told
from cnnctl.specs.source import SUFFIXES


def check(path: AnySpec, overrides: str | Iterable[str] = (), *, recorded: bool = False) -> Checked:
    """Read a spec, work out its shapes, and hold its outputs against its data set's classes.

    Args:
        path: A YAML file, the name of a shipped spec, or a spec that is loaded.
        overrides: Assignments such as `fit.epochs=3`, applied in order.
        recorded: Whether it is the spec of a run, as in `cnnctl.specs.load`.

    Raises:
        UsageError: There is no such file.
        SpecError: The spec has errors, a layer does not fit its input, or the number of outputs is
            not the number of classes.
    """
    overrides = as_texts(overrides, "overrides")
    spec: Spec | None
    found: list[Diagnostic]
    if isinstance(path, Spec):
        spec, found = load(path, overrides), []
        path, overrides = spec.path, spec.overrides
    else:
        path = shipped.locate(path)
        spec, found = draft(path, overrides)
    return _checked(spec, found, path, overrides, recorded=recorded)


def vary(spec: Spec, overrides: Iterable[str]) -> Checked:
    """Apply further overrides to a spec that has passed, and hold the result to every rule; the
    file is not read again.

    Raises:
        SpecError: As in `check`.
    """
    overrides = tuple(overrides)
    varied, found = redraft(spec, overrides)
    return _checked(varied, found, spec.path, (*spec.overrides, *overrides))


def _checked(
    spec: Spec | None,
    found: list[Diagnostic],
    path: Path,
    overrides: tuple[str, ...],
    *,
    recorded: bool = False,
) -> Checked:
    """A draft held to the rules that need shapes.

    Raises:
        SpecError: It has faults.
    """
    checked = _check(spec, found, look=not recorded) if spec else None
    if checked and checked.spec.compile and not found:
        found.extend(device_errors(checked.spec, checked.batch_dependent))
    if recorded:
        found = still_told(found)
    if checked is None or found:
        raise SpecError(in_order(found, path, overrides))
    return checked


def check_run(run: Run, overrides: Iterable[str] = ()) -> Checked:
    """The same for the spec of a run.

    Raises:
        UsageError: A plug-in that the run was made with is not loaded.
        SpecError: As in `check`.
    """
    plugins.require(run.environment().get("plugins") or (), run)
    return check(run.spec_path, overrides, recorded=True)


def check_spec_or_run(given: AnySpec) -> Checked:
    """The same for a spec, or for that of a run folder.

    Raises:
        UsageError, SpecError: As in `check`.
    """
    if isinstance(given, Spec):
        return check(given)
    path = spec_path(shipped.locate(given))
    return check(path, recorded=is_of_run(path))


def diff(a: AnySpec, b: AnySpec) -> list[Difference]:
    """Return the values in which two specs differ; a default counts as if it were written.

    Args:
        a, b: Specs, paths or names of them, or run folders.

    Raises:
        UsageError, SpecError: As in `check`.
    """
    return differences(check_spec_or_run(a).spec, check_spec_or_run(b).spec)


def _check(spec: Spec, found: list[Diagnostic], *, look: bool) -> Checked:
    """Work out the shapes of a spec, or of a draft as far as they can be told; note the errors.

    Args:
        spec: The spec or the draft.
        found: Takes the errors.
        look: Whether the shape of an image may be read from the data's files.
    """
    misfits = list(_input_errors(spec, look=look))
    found.extend(misfits)
    shape = input_shape(spec, look=look)
    checked, errors = check_shapes(spec, shape)
    found.extend(errors)
    if "data.label_mode" in spec.doubtful:
        return checked
    if checked.outputs is not None and spec.data and spec.data.label_mode != "float":
        name, classes = static_checks.classes(spec.data.dataset, spec.data_base)
        if classes:
            found.extend(compare_outputs(spec, checked.outputs, classes, name))
            checked = replace(checked, classes=classes)
    found.extend(static_checks.errors(spec, None if misfits else shape, checked.outputs))
    return checked


def input_shape(spec: Spec, *, look: bool = True) -> tuple[int, ...] | None:
    """The shape of one image: from the spec, from what its named data set is known to hold, or,
    if `look` says so, from the data's files."""
    if "model.input_shape" in spec.doubtful:
        return None
    if spec.model.input_shape is not None:
        return tuple(spec.model.input_shape)
    known = _known_shape(spec, look=look)
    return with_channels(known) if known is not None else None


def _input_errors(spec: Spec, *, look: bool) -> Iterator[Diagnostic]:
    """What an input shape cannot be, beside a data set whose images are known."""
    known = _known_shape(spec, look=look)
    given = tuple(spec.model.input_shape or ())
    if given and spec.data and known is not None and given not in {known, with_channels(known)}:
        yield Diagnostic(
            "input-shape",
            f"the pictures of {spec.data.dataset} are {list(with_channels(known))}, "
            f"and `input_shape` is {list(given)}",
            spec.place("model", "input_shape"),
            f"write `input_shape: {list(with_channels(known))}`, or leave it out",
        )
    doubtful = bool(spec.doubtful & {"data", "model.input_shape", "extends"})
    # Older forms of Keras give it to the first layer, which is an error of its own.
    doubtful |= any("input_shape" in layer.component.errors for layer in spec.graph.layers)
    if not given and spec.data is None and not doubtful:
        yield Diagnostic(
            "missing-key",
            "`model.input_shape` is missing, and there is no `data` to take it from",
            spec.tree.keys["model"],
            "add `input_shape: [height, width, channels]`",
        )


def _known_shape(spec: Spec, *, look: bool) -> tuple[int, ...] | None:
    """The shape of an image as stored, where it is known."""
    if spec.data is None:
        return None
    known = static_checks.image_shape(spec.data.dataset, spec.data_base)
    if known is None and look:
        known = static_checks.stored_shape(spec.data.dataset, spec.data_base)
    return known


def specs_in(path: Path) -> list[Path]:
    """The specs that a path means: itself, or every YAML file below a folder, in order.

    Raises:
        UsageError: There is no such path, or no spec in it.
    """
    if not path.is_dir():
        return [path]
    if is_run(path):
        return [path / "spec.yaml"]  # a run folder means its spec
    if is_broken_run(path):
        refuse_other(path, "spec")
    found = sorted(each for each in path.rglob("*") if each.suffix in SUFFIXES and each.is_file())
    found = [each for each in found if not _is_in_run(each)]
    if not found:
        refuse_other(path, "spec")
        raise UsageError(f"no spec in {path}", hint="a spec is a file that ends in .yaml")
    return found


def is_of_run(path: Path) -> bool:
    """Whether a file is the spec of a run folder."""
    return path.name == "spec.yaml" and is_run(path.parent)


def _is_in_run(path: Path) -> bool:
    """Whether a file is one of a run folder's, which are copies."""
    folders = path.parents[:3]  # of its spec, of sources/, of a checkpoint
    return any(is_run(f) or is_broken_run(f) for f in folders)
