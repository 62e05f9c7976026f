"""Holding out training images for validation, by Keras's rule."""

from __future__ import annotations

import math
from dataclasses import replace

from cnnctl.data.dataset import Dataset, Split
from cnnctl.errors import DataError
from cnnctl.io.text import counted


def hold_out(dataset: Dataset, validation: int | float, validation_from: str = "end") -> Dataset:
    """Hold out training images for validation, without shuffling.

    Args:
        dataset: The data; it is not copied.
        validation: An integer is a number of images; a float is the fraction, in which case, as
            in Keras's `validation_split`, `floor(n * (1 - fraction))` remain to train on. 0 holds
            out none.
        validation_from: `end` holds out the last images (Keras's rule), `start` the first ones.

    Returns:
        The data set with its validation split.

    Raises:
        DataError: The data set brings a validation split of its own, or nothing would remain.
    """
    if validation_from not in ("end", "start"):
        raise DataError(f"validation_from is end or start. Received: {validation_from}")
    if isinstance(validation, bool) or not math.isfinite(validation) or validation < 0:
        raise DataError(f"validation is a number of pictures or a fraction. Received: {validation}")
    if validation == 0:
        return dataset
    total = len(dataset.train)
    if dataset.validation is not None:
        raise DataError(
            f"{dataset.name} brings {counted(len(dataset.validation), 'validation image')} of its "
            f"own, and `validation: {validation}` asks to hold out others",
            hint=_own_validation(dataset),
        )
    if isinstance(validation, float):
        if validation >= 1:
            raise DataError(
                f"`validation: {validation}` is no fraction between 0 and 1",
                hint="a number of pictures is written without a point",
            )
        held_out = total - math.floor(total * (1.0 - validation))
    else:
        held_out = validation
    if not 0 < held_out < total:
        raise DataError(
            f"`validation: {validation}` holds out {held_out:,} of {total:,} training pictures; "
            "at least one must be held out and one remain"
        )
    first = held_out if validation_from == "start" else total - held_out
    head, tail = _part(dataset.train, 0, first), _part(dataset.train, first, total)
    if validation_from == "start":
        return replace(dataset, train=tail, validation=head)
    return replace(dataset, train=head, validation=tail)


def _own_validation(dataset: Dataset) -> str:
    fix = "remove `validation`, or write `validation: 0`"
    if "split" in dataset.layout:
        train, validation, test = dataset.layout["split"]
        return f"{fix}; or write `split: [{train + validation:g}, 0, {test:g}]`"
    if folder := dataset.layout.get("folders", {}).get("validation"):
        return f"{fix}, to use {folder}/; or rename {folder}/"
    return fix


def _part(split: Split, start: int, stop: int) -> Split:
    return Split(split.x[start:stop], split.y[start:stop])


def missing_test(dataset: Dataset) -> tuple[str, ...]:
    """Return a note, if there is no test split."""
    note = f"{dataset.name}: no test split, so the trained network is not tested"
    return (note,) if dataset.test is None else ()
