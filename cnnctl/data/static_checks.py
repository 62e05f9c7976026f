"""What can be said of a spec's images before they are loaded: those that are written in the spec
are looked at, of named ones the number and the shape are known."""

from __future__ import annotations

import io
import math
import os
import re
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cnnctl import plugins
from cnnctl.catalog import load as load_catalog
from cnnctl.data.images.folder_split import split_rule
from cnnctl.data.images.formats import PILLOW_FORMATS, is_readable
from cnnctl.data.named.sources import SOURCES
from cnnctl.errors import DataError, Diagnostic
from cnnctl.io.untrusted import open_plain, open_zip

if TYPE_CHECKING:
    from cnnctl.specs import Component, Spec

_SHAPE = re.compile(rb"'shape': \(([\d, ]{1,200})\)")
_WIDTH = re.compile(rb"'descr': '[<>|=][a-z](\d{1,2})'")
_HEADER = 10_000
"""Bytes of an array that are looked at for its shape."""

_MOST_DIMENSIONS = 64
"""NumPy's own limit."""

_START = 1 << 20
"""Bytes of an image's file that are looked at for its size."""

_DEEPEST = 4
"""How many folders deep the first image is looked for."""

_ORIENTATION = 0x0112
"""The EXIF tag that says how a camera was held; from 5 on, height and width change places."""

_FIELD = re.compile(r"([xy])_(train|test|validation)")


def image_shape(dataset: Component, base: Path = Path()) -> tuple[int, ...] | None:
    """The shape of an image as stored; None where only files tell.

    Args:
        dataset: The data set.
        base: The folder from which its path starts.
    """
    if dataset.name in SOURCES:
        return SOURCES[dataset.name].shape
    if dataset.name == "inline" and not dataset.errors:
        return _nesting(dataset.arguments["x_train"])[1:] or None
    if dataset.name == "xo":
        return (9, 9, 1)
    if dataset.name == "image_folder" and dataset.arguments.get("image_size"):
        if "color_mode" in dataset.errors:
            return None
        return (*dataset.arguments["image_size"], _channels(dataset))
    return _declared(dataset, base).input_shape


def stored_shape(dataset: Component, base: Path = Path()) -> tuple[int, ...] | None:
    """The shape of an image as its file says it: the header of the array `x_train` in an `.npz`,
    or of an image, since all images of a folder have the same size. Nothing is decoded.

    None where there is no such file, or it cannot be read, as a training will say.

    Args:
        dataset, base: As in `image_shape`.
    """
    path = dataset.arguments.get("path")
    if dataset.errors or not isinstance(path, str):
        return None
    with suppress(Exception):  # whatever zipfile and Pillow make of foreign bytes
        if dataset.name == "npz":
            return _shape_in_npz(base / Path(path).expanduser())
        if dataset.name == "image_folder":
            return _shape_in_folder(base / Path(path).expanduser(), _channels(dataset))
    return None


def _channels(dataset: Component) -> int:
    return 1 if dataset.arguments.get("color_mode") == "grayscale" else 3


def _shape_in_npz(path: Path) -> tuple[int, ...] | None:
    """The shape of one row of `x_train`, read from its header without NumPy, which takes longer to
    import than all else that `check` does."""
    with (
        open_plain(path) as file,
        open_zip(file) as archive,
        archive.open("x_train.npy") as member,
    ):
        header = member.read(_HEADER)
        size = archive.getinfo("x_train.npy").file_size
    found, width = _SHAPE.search(header), _WIDTH.search(header)
    if not header.startswith(b"\x93NUMPY") or found is None or width is None:
        return None
    lengths = [int(each) for each in found[1].split(b",") if each.strip()]
    digits = 2 if header[6] == 1 else 4  # by the version of the format
    start = 8 + digits + int.from_bytes(header[8 : 8 + digits], "little")
    is_whole = 0 not in lengths and start + math.prod(lengths) * int(width[1]) == size
    if not is_whole or len(lengths) > _MOST_DIMENSIONS:
        return None  # damaged: a training says how
    shape = tuple(lengths)[1:]
    if len(shape) == 3 and shape[0] in (1, 3) and shape[2] not in (1, 3, 4):
        return None  # channels first, it seems: a training says more of it
    return shape or None


def _shape_in_folder(folder: Path, channels: int) -> tuple[int, ...] | None:
    from PIL import Image

    path = _first_image(folder, depth=_DEEPEST)
    if path is None:
        return None
    with open_plain(Path(path)) as file:
        start = io.BytesIO(file.read(_START))
    with Image.open(start, formats=PILLOW_FORMATS) as image:
        width, height = image.size
        turned = width != height and image.getexif().get(_ORIENTATION, 1) >= 5
    return (width, height, channels) if turned else (height, width, channels)


def _first_image(folder: Path, depth: int) -> str | None:
    """Some image of a folder or of those below it."""
    folders = []
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.name.startswith("."):
                continue
            if entry.is_dir():
                folders.append(entry.path)
            elif depth < _DEEPEST and is_readable(entry.name):
                return entry.path
    found = (_first_image(Path(each), depth - 1) for each in sorted(folders) if depth)
    return next(filter(None, found), None)


def classes(dataset: Component, base: Path = Path()) -> tuple[str, int]:
    """A data set's name and its number of classes, 0 where only its files tell.

    Args:
        dataset, base: As in `image_shape`.
    """
    name = dataset.name
    if dataset.errors:
        return name, 0
    if name == "cifar100" and dataset.arguments.get("label") == "coarse":
        return "cifar100 (coarse)", len(SOURCES[name].coarse_names)
    if name in SOURCES:
        return name, len(SOURCES[name].class_names)
    return name, 2 if name == "xo" else len(_declared(dataset, base).class_names)


def _declared(dataset: Component, base: Path) -> plugins.Declared:
    """What a plug-in's data set says of itself; nothing, if it is none or fails."""
    if dataset.errors or not dataset.is_of_plugin:
        return plugins.Declared()
    from cnnctl.data.registered import declared

    with suppress(DataError):
        return declared(dataset.name, dataset.arguments, base)
    return plugins.Declared()


def errors(
    spec: Spec, input_shape: tuple[int, ...] | None, outputs: int | None
) -> Iterator[Diagnostic]:
    """What is wrong with the images, as far as it can be known.

    Args:
        spec: A spec, or a draft of one that has errors.
        input_shape: Of the network, if it is known.
        outputs: How many the network has, if it is known.
    """
    if spec.data is None or spec.data.dataset.errors:
        return
    dataset, held_out = spec.data.dataset, spec.data.validation
    there = _training_images(dataset)
    if there is not None and isinstance(held_out, int) and held_out >= there:
        yield Diagnostic(
            "validation-size",
            f"`validation: {held_out}` holds out every one of the {there:,} training pictures",
            spec.place("data", "validation"),
            "lower it, or write a fraction such as 0.1",
        )
    elif dataset.name == "image_folder":
        try:
            split_rule(dataset.arguments.get("split"))
        except DataError as error:
            yield Diagnostic("folder-split", error.message, dataset.place("split"), error.hint)
    elif dataset.name == "inline":
        yield from _written(spec, input_shape, outputs)
    elif dataset.is_of_plugin:
        from cnnctl.data.registered import declared, located

        try:
            declared(dataset.name, dataset.arguments, spec.data_base)
        except DataError as error:
            yield located(error, dataset)


def _training_images(dataset: Component) -> int | None:
    """How many training images there are; None where only files tell."""
    if dataset.name in SOURCES:
        return SOURCES[dataset.name].train
    if dataset.name == "inline":
        return len(dataset.arguments["x_train"])
    if dataset.name != "xo":
        return None
    entry = load_catalog().find("dataset", "xo")
    count = entry.argument("count") if entry else None
    return int(dataset.arguments.get("count", count.default if count else 0))


def _written(
    spec: Spec, input_shape: tuple[int, ...] | None, outputs: int | None
) -> Iterator[Diagnostic]:
    """The errors of images that are written in the spec."""
    from cnnctl.data.fitting import fit_to
    from cnnctl.data.inline import load_inline
    from cnnctl.data.split import hold_out

    assert spec.data
    dataset = spec.data.dataset
    try:
        loaded = load_inline(**dataset.arguments)
        if not spec.doubtful & {"data.validation", "data.validation_from", "data.label_mode"}:
            loaded = hold_out(loaded, spec.data.validation, spec.data.validation_from)
            if input_shape is not None:
                fit_to(loaded, input_shape, spec.data.label_mode, outputs)
    except DataError as error:
        match = _FIELD.search(error.message)
        # What is held out for validation is written among the training images.
        field = f"{match[1]}_{'test' if match[2] == 'test' else 'train'}" if match else "x_train"
        yield Diagnostic("inline-data", error.message, dataset.place(field), error.hint)


def _nesting(value: Any) -> tuple[int, ...]:
    """The lengths of nested lists, along the first of each."""
    return (len(value), *_nesting(value[0])) if isinstance(value, list) and value else ()
