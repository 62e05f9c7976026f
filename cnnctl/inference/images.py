"""Read users' images as a network takes them, and report every conversion.

A network knows images like those that it was trained on: MNIST's are light on dark and centered;
a scan or a drawing is neither, so it is made so.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from cnnctl.data.pixels import BYTES, DEEP, UNIT
from cnnctl.errors import DataError, UsageError
from cnnctl.inference.image_conversion import as_8_bits, as_16_bits, decode
from cnnctl.inference.image_files import MOST_BYTES, ImageFile, find_files
from cnnctl.inference.image_style import Look
from cnnctl.inference.npy_images import divide_by_255, range_words, read_npy

if TYPE_CHECKING:
    import numpy as np


@dataclass(frozen=True, eq=False)
class Incoming:
    """One image as the network takes it, not yet normalized.

    Args:
        name: The file, for people; with several images in a file, which of them.
        x: Of the network's input shape; uint8, uint16 where the network knows those, or float32
            where the file or the network has other numbers.
        steps: What was done to it, in words, in order.
        folder: The folder that it lies in, from the one that was given, with slashes: perhaps one
            of them is named like its class. None where a file was given.
    """

    name: str
    x: np.ndarray
    steps: tuple[str, ...] = ()
    folder: str | None = None


@dataclass(frozen=True, slots=True)
class Failure:
    """A file that could not be read as images.

    Args:
        name: The file.
        error: Why.
    """

    name: str
    error: DataError


def read(
    paths: Sequence[str],
    look: Look,
    *,
    invert: bool | None = None,
    centre: bool | None = None,
    failures: list[Failure] | None = None,
    unread: list[str] | None = None,
) -> Iterator[Incoming]:
    """Read images, `.npy` files, folders of them, `-` for standard input.

    Args:
        paths: What to read, in order.
        look: What the network takes.
        invert: Whether light becomes dark; None decides by the background.
        centre: Whether the drawing is cut out and centred; None does as the training images are.
        failures: Gets the files that cannot be read or found, and the others follow; without it,
            or where only one path is given that is not there, the first such file raises.
        unread: Gets the files of folders that look like images of formats that are not read.

    Raises:
        UsageError: There is no such file, or nothing in a folder.
        DataError: A file is damaged, or not an image, or has another shape.
    """
    files: list[tuple[str, str | None]] = []
    for each in paths:
        try:
            files += find_files(each, [] if unread is None else unread)
        except UsageError as error:
            if failures is None or len(paths) == 1:
                raise
            failures.append(Failure(each, DataError(error.message, hint=error.hint)))
    for path, folder in files:
        try:
            # All images of a file, or none.
            yield from list(_file(path, folder, look, invert, centre))
        except DataError as error:
            if failures is None:
                raise
            failures.append(Failure(path, error))


def _file(
    path: str, folder: str | None, look: Look, invert: bool | None, centre: bool | None
) -> Iterator[Incoming]:
    try:
        with ImageFile(path) as file:
            yield from _images(file, look, folder, invert, centre)
    except OSError as error:
        raise DataError(f"cannot read {path}: {error.strerror or error}") from error


def from_bytes(data: bytes, name: str, look: Look) -> Iterator[Incoming]:
    """Read the images of an image or `.npy` file that is in memory.

    Args:
        data: The file.
        name: What messages call it.
        look: What the network takes.

    Raises:
        DataError: As in `read`.
    """
    with ImageFile(name, data) as file:
        yield from _images(file, look, None, None, None)


def _images(
    file: ImageFile, look: Look, folder: str | None, invert: bool | None, centre: bool | None
) -> Iterator[Incoming]:
    if file.size > MOST_BYTES:
        raise DataError(f"{file.name} has {file.size:,} bytes, more than any picture")
    if file.start(6) == b"\x93NUMPY":
        images, steps = read_npy(file, look)
        for index, x in enumerate(images):
            name = file.name if len(images) == 1 else f"{file.name}[{index}]"
            yield Incoming(name, x, tuple(steps), folder)
        return
    if look.pixels not in (None, BYTES, UNIT, DEEP):
        raise DataError(
            f"{file.name} is a picture of bytes; the network was trained on "
            f"{range_words(look.pixels)}, and how they were made from bytes is not known",
            hint="give it an .npy file of such values",
        )
    image, steps, more = decode(file)
    convert = as_16_bits if look.pixels == DEEP else as_8_bits
    x = convert(image, steps, look, invert, centre)
    if look.pixels == UNIT:
        x = divide_by_255(x, steps)
    if more:
        steps.append("the first of several frames or pages")
    yield Incoming(file.name, x, tuple(steps), folder)
