"""From a spec's `data` to images in the network's shape: found, split, checked, normalized."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from cnnctl import data
from cnnctl.arithmetic.checked import Checked
from cnnctl.arithmetic.shape_rules import check_shapes
from cnnctl.data.class_notes import class_notes, missing_classes
from cnnctl.data.dataset import Dataset
from cnnctl.data.fitting import fit_to
from cnnctl.data.labels import are_whole, as_classes
from cnnctl.data.pixel_normalization import Normalization, normalization
from cnnctl.data.pixels import with_channels
from cnnctl.data.registered import located
from cnnctl.data.remarks import channels_first, dim_pixels
from cnnctl.data.split import hold_out, missing_test
from cnnctl.errors import DataError, Diagnostic, SpecError
from cnnctl.specs import Component, Spec, loss_rules, monitor_rules
from cnnctl.specs.class_count import compare_outputs
from cnnctl.specs.loading import in_order, still_told
from cnnctl.specs.metric_targets import (
    Targets,
    always_one,
    largest_of_measures,
    one_by_one,
    targets,
)

Progress = Callable[[str, int, "int | None"], None]
"""(file, bytes so far, bytes in all if known), while something is downloaded."""


@dataclass(frozen=True)
class Prepared:
    """Data that fits a network.

    Args:
        checked: The spec, with the shapes of its network.
        dataset: Images as stored, in the network's shape.
        normalization: How a stored image becomes what the network gets.
        input_shape: Of one image, without the batch.
        classes: How many the data has; 0 where the targets are numbers.
        one_hot: Whether the loss gets one-hot labels.
        inferred: What was not in the spec and taken from the data, in words.
    """

    checked: Checked
    dataset: Dataset
    normalization: Normalization
    input_shape: tuple[int, ...]
    classes: int
    one_hot: bool
    inferred: tuple[str, ...] = ()

    @property
    def spec(self) -> Spec:
        """The spec."""
        return self.checked.spec


def prepare(
    given: Spec | Checked,
    *,
    data_dir: Path | None = None,
    full_data: bool = False,
    progress: Progress | None = None,
    fixed: Normalization | None = None,
    training: bool = False,
    recorded: bool = False,
) -> Prepared:
    """Load a spec's data set and hold it against the network.

    Args:
        given: A checked spec with `data`; rules that `check` has run are not run again.
        data_dir: Where data sets are looked for first.
        full_data: Refuse the small sample that stands in for MNIST.
        progress: Is told how a download goes.
        fixed: The normalization of an earlier training, instead of one from these images.
        training: Whether what callbacks monitor is held against what will be reported.
        recorded: Whether it is the spec of a run, as in `cnnctl.specs.load`.

    Raises:
        DataError: The data cannot be found, is damaged, or does not fit.
        SpecError: The spec breaks a rule that needs the shape of its images, their classes or their
            targets; all that were found.
    """
    checked = given if isinstance(given, Checked) else Checked(given)
    spec = checked.spec
    spec.require("data")
    assert spec.data is not None
    loaded = load(spec, data_dir=data_dir, full_data=full_data, progress=progress)
    inferred = []
    if spec.model.input_shape is not None:
        shape = tuple(spec.model.input_shape)
    else:
        shape = with_channels(tuple(loaded.train.x.shape[1:]))
        inferred.append(f"input shape {list(shape)}, from the data")
    misplaced = None if _moves_channels(spec) else channels_first(loaded.train.x)
    found: list[Diagnostic] = []
    if checked.trace is None or checked.trace.input_shape != shape:
        checked, found = check_shapes(spec, shape)
    trace = checked.trace
    if misplaced and trace is None:
        found = [replace(each, notes=(*each.notes, misplaced)) for each in found]
    if training:
        found.extend(_monitored(spec, loaded))
    if recorded:
        found = still_told(found)
    if trace is None:
        raise SpecError(in_order(found, spec.path, spec.overrides))
    outputs = None if trace.unknown or loss_rules.are_embeddings(spec) else trace.output_shape[-1]
    classes = 0 if spec.data.label_mode == "float" else len(loaded.class_names)
    if classes and _names_its_classes(spec.data.dataset, loaded):
        for each in (
            ()
            if classes == checked.classes
            else compare_outputs(spec, outputs, classes, loaded.name)
        ):
            lacking = missing_classes(loaded)  # perhaps a folder that is no class
            found.append(replace(each, notes=(*each.notes, *lacking)))
    elif classes:
        # The labels alone do not tell how many classes there are; `fit_to` checks their range.
        classes = outputs or classes
    elif spec.data.label_mode == "categorical" and loaded.train.y.dtype.kind in "iu":
        # So many that they have no names, not even their numbers.
        classes = outputs or max(int(split.y.max(initial=0)) for _, split in loaded.splits()) + 1
    numeric = _targets(loaded) if spec.data.label_mode == "float" else None
    if spec.compile and numeric and not recorded:
        found.extend(
            targets(spec.compile.metrics, outputs, numeric, loss_rules.logits_of(spec.compile.loss))
        )
    if found:
        raise SpecError(in_order(found, spec.path, spec.overrides))
    loaded = fit_to(loaded, shape, spec.data.label_mode, outputs)
    notes = [f"{loaded.name}: {misplaced}"] if misplaced else []
    if spec.data.label_mode != "float":
        notes += class_notes(loaded, outputs, one_each=_has_an_output_per_class(spec))
    notes += missing_test(loaded)
    if training and spec.compile:
        notes += always_one(spec.compile.metrics, outputs)
        if spec.data.label_mode == "categorical" or (numeric and numeric.one_hot):
            notes += one_by_one(spec.compile.metrics, outputs)
        if numeric:
            notes += largest_of_measures(spec.compile.metrics, numeric)
    if fixed is None:
        notes += dim_pixels(loaded, spec.data.normalize)
        stored, known = loaded.stored.get("train", ""), loaded.pixel_range
        if (
            known
            and spec.data.normalize in ("unit", "signed")
            and stored not in ("uint8", "uint16", "")
        ):
            inferred.append(f"pixels from {known[0]:g} to {known[1]:g}, as x_train is {stored}")
    loaded = replace(loaded, notes=(*loaded.notes, *notes))
    if fixed is not None and len(fixed.subtract) not in (1, shape[-1]):
        raise DataError(
            f"the normalization recorded beside {spec.path} is of {len(fixed.subtract)} channels, "
            f"and the pictures have {shape[-1]}"
        )
    return Prepared(
        checked=checked,
        dataset=loaded,
        normalization=fixed or normalization(spec.data.normalize, loaded.train, loaded),
        input_shape=shape,
        classes=classes,
        one_hot=spec.data.label_mode == "categorical",
        inferred=tuple(inferred),
    )


def _monitored(spec: Spec, loaded: Dataset) -> Iterator[Diagnostic]:
    """What needs to know whether there are validation images, which some data sets alone tell."""
    has_validation = loaded.validation is not None
    if spec.compile and not (spec.data and spec.data.validation):  # else `check` has asked
        yield from monitor_rules.monitored(spec, has_validation)
        yield from monitor_rules.metric_names(spec, has_validation)


def _targets(loaded: Dataset) -> Targets:
    """What the numeric targets of all splits have in common."""
    import numpy as np

    parts = [split.y for _, split in loaded.splits()]
    are_rows = all(y.ndim == 2 and y.shape[1] > 1 for y in parts)
    are_shares = are_rows and all((y >= 0).all() and np.allclose(y.sum(1), 1) for y in parts)
    if not all(are_whole(y) for y in parts):
        return Targets(None, are_measures=are_rows and not are_shares)
    values = np.unique(np.concatenate([np.unique(y) for y in parts])).tolist()
    are_binary = set(values) <= {0, 1}
    return Targets(
        values,
        one_hot=are_shares,
        multi_hot=are_rows and are_binary and not are_shares,
        are_measures=are_rows and not are_binary,
    )


def load(
    spec: Spec,
    *,
    data_dir: Path | None = None,
    full_data: bool = False,
    progress: Progress | None = None,
) -> Dataset:
    """Load a spec's data set, and hold out the validation images that the spec asks for.

    Args:
        spec: A checked spec with `data`.
        data_dir, full_data, progress: As in `prepare`.

    Raises:
        DataError: The data cannot be found, is damaged, or has validation images of its own.
    """
    assert spec.data is not None
    try:
        loaded = data.load(
            spec.data.dataset.name,
            spec.data.dataset.arguments,
            base=spec.data_base,
            data_dir=data_dir,
            full_data=full_data,
            holds_out=bool(spec.data.validation),
            progress=progress,
        )
    except DataError as error:
        if not spec.data.dataset.is_of_plugin:
            raise
        at = located(error, spec.data.dataset)
        raise DataError(error.message, hint=error.hint, diagnostics=[at]) from error
    try:
        classes = as_classes(loaded, spec.data.label_mode)
        return hold_out(classes, spec.data.validation, spec.data.validation_from)
    except DataError as error:
        place = spec.place("data", "validation")
        at = Diagnostic("validation-size", error.message, place, error.hint)
        raise DataError(error.message, hint=error.hint, diagnostics=[at]) from error


def _moves_channels(spec: Spec) -> bool:
    """Whether a layer of a spec takes channels first, or moves them."""
    return any(
        layer.component.name in ("Permute", "Reshape")
        or layer.component.arguments.get("data_format") == "channels_first"
        for layer in spec.graph.layers
    )


def _has_an_output_per_class(spec: Spec) -> bool:
    """Whether the network's outputs are its classes, and no embedding, say."""
    loss = spec.compile.loss.name if spec.compile else ""
    return not loss or "Crossentropy" in loss or "Hinge" in loss


def _names_its_classes(dataset: Component, loaded: Dataset) -> bool:
    """Whether a data set says which classes there are, beyond those that its labels show."""
    if dataset.is_of_plugin:
        return loaded.class_names != tuple(map(str, range(len(loaded.class_names))))
    return dataset.name not in {"npz", "inline"} or bool(dataset.arguments.get("class_names"))
