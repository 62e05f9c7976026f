"""Pictures that somebody brings along, made into what a trained network takes, step by step told.

A network knows pictures like those that it was trained on. MNIST's are light on dark, 20 pixels
high or wide, and centred by their mass (LeCun et al. 1998, section III-A); a scan or a drawing is
none of this, so it is made so, and every step is said.
"""

from __future__ import annotations

import io
import math
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from cnnctl.data.arrays import as_float32
from cnnctl.data.images import bit_depth
from cnnctl.data.images.decode import (
    LARGEST,
    DamagedImage,
    converted,
    has_more,
    open_image,
    reason_of,
)
from cnnctl.data.images.folder_tree import images_among, is_hidden
from cnnctl.data.images.formats import SUFFIXES as IMAGES
from cnnctl.data.images.formats import looks_like_image
from cnnctl.data.images.orientation import as_shown
from cnnctl.data.npz import read_array
from cnnctl.data.pixels import BYTES, DEEP, UNIT, Range
from cnnctl.data.wording import looking, some
from cnnctl.errors import DataError, UsageError
from cnnctl.io.path_kinds import kind_of, refuse_other
from cnnctl.io.untrusted import open_plain

if TYPE_CHECKING:
    import numpy as np
    from PIL.Image import Image

SUFFIXES = (*IMAGES, ".npy")
STDIN = "-"

_OTHER_KINDS = frozenset({"arrays", "exported", "model", "notebook", "python", "spec", "weights"})
"""What is no image, and has a command that takes it; of other files the decoder says what they are.
"""

_MOST_BYTES = 4 * LARGEST
_BOX = 20 / 28
"""The part of MNIST's height and width that a digit fills."""
_INK = 0.2
"""A pixel belongs to the drawing from this part of the range above the background."""


@dataclass(frozen=True)
class Look:
    """How the pictures look that a network was trained on.

    Args:
        shape: Of one picture: (height, width, channels), (height, width), or any shape of `.npy`.
        pixels: The range of a pixel's values; None if it is not known.
        dark: Whether the background is dark; None if that is not known.
        centred: Whether each shows one drawing, cut out, and centred by its mass.
    """

    shape: tuple[int, ...]
    pixels: Range | None = BYTES
    dark: bool | None = None
    centred: bool = False

    @property
    def size(self) -> tuple[int, int]:
        """(height, width)."""
        return self.shape[0], self.shape[1]

    @property
    def channels(self) -> int:
        """1 for grey, 3 for colours."""
        return self.shape[2] if len(self.shape) == 3 else 1


@dataclass(frozen=True, eq=False)
class Incoming:
    """One picture as the network takes it, not yet normalized.

    Args:
        name: The file, for people; with several pictures in a file, which of them.
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


@dataclass
class _Told:
    """A picture on its way, and what was done to it."""

    image: Image
    steps: list[str] = field(default_factory=list)

    def now(self, image: Image, step: str) -> None:
        self.image = image
        self.steps.append(step)


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
        centre: Whether the drawing is cut out and centred; None does as the training pictures are.
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
            files += _files(each, [] if unread is None else unread)
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
        with _open(path) as file:
            yield from _pictures(file, look, folder, invert, centre)
    except OSError as error:
        raise DataError(f"cannot read {path}: {error.strerror or error}") from error


def from_bytes(data: bytes, name: str, look: Look) -> Iterator[Incoming]:
    """The images of an image or `.npy` file that is in memory.

    Args:
        data: The file.
        name: What messages call it.
        look: What the network takes.

    Raises:
        DataError: As in `read`.
    """
    with _open(name, data) as file:
        yield from _pictures(file, look, None, None, None)


def _pictures(
    file: _open, look: Look, folder: str | None, invert: bool | None, centre: bool | None
) -> Iterator[Incoming]:
    if file.size > _MOST_BYTES:
        raise DataError(f"{file.name} has {file.size:,} bytes, more than any picture")
    if file.start(6) == b"\x93NUMPY":
        yield from _arrays(file, look, folder)
        return
    if look.pixels not in (None, BYTES, UNIT, DEEP):
        raise DataError(
            f"{file.name} is a picture of bytes; the network was trained on {_words(look.pixels)}, "
            "and how they were made from bytes is not known",
            hint="give it an .npy file of such values",
        )
    image, steps, more = _image(file)
    if look.pixels == DEEP:
        x = _deep(image, steps, look, invert, centre)
    else:
        x = _prepared(_told(image, steps), look, invert, centre)
    if look.pixels == UNIT:
        x = _divided(x, steps)
    if more:
        steps.append("the first of several frames or pages")
    yield Incoming(file.name, x, tuple(steps), folder)


class _open:  # noqa: N801 - reads as a verb: `with _open(path) as file:`
    """A plain file, or standard input read to its end."""

    def __init__(self, path: str, data: bytes | None = None) -> None:
        self.name = "standard input" if path == STDIN else path
        if data is not None:
            self.file: BinaryIO = io.BytesIO(data)
        elif path == STDIN:
            if sys.stdin.isatty():
                raise UsageError("`-` is standard input, which is a terminal here, not a file")
            data = sys.stdin.buffer.read(_MOST_BYTES + 1)
            if not data:
                raise UsageError("`-` is standard input, and nothing came from it")
            self.file = io.BytesIO(data)
        else:
            self.file = open_plain(Path(path))
        self.size = self.file.seek(0, io.SEEK_END)
        self.file.seek(0)

    def start(self, count: int) -> bytes:
        """The first bytes."""
        data = self.file.read(count)
        self.file.seek(0)
        return data

    def __enter__(self) -> _open:
        return self

    def __exit__(self, *_: object) -> None:
        self.file.close()


def _files(given: str, unread: list[str]) -> list[tuple[str, str | None]]:
    """The files that a path means, each with the way to it where it is a folder.

    Raises:
        UsageError: There is no such file, nothing to read in the folder, or a file of another kind.
    """
    path = Path(given)
    try:
        if given == STDIN:
            return [(given, None)]
        if path.is_file():
            if kind_of(path) in _OTHER_KINDS:
                refuse_other(path, "image")
            return [(given, None)]
        if path.is_dir():
            return _files_in(path, unread)
        is_there = path.exists()
    except OSError as error:
        raise UsageError(f"cannot read {path}: {error.strerror or error}") from error
    raise UsageError(f"{path} is neither a file nor a folder" if is_there
                     else f"there is no file {path}")  # fmt: skip


def _files_in(path: Path, unread: list[str]) -> list[tuple[str, str | None]]:
    shown = sorted(
        inner
        for inner in path.rglob("*")
        if not any(map(is_hidden, inner.relative_to(path).parts)) and inner.is_file()
    )
    found = [inner for inner in shown if inner.suffix.lower() in SUFFIXES]
    others = [str(inner) for inner in shown if inner.suffix.lower() not in SUFFIXES]
    left = [name for name in others if looks_like_image(name)]
    left += images_among([name for name in others if not looks_like_image(name)])
    unread += left
    if not found:
        raise UsageError(
            f"{path} has no images" + (f", but {looking(left)}: {some(left)}" if left else ""),
            hint=f"looked for {', '.join(SUFFIXES)}",
        )
    start = path.resolve().name
    ways = [inner.parent.relative_to(path).as_posix() for inner in found]
    return [
        (str(inner), start if way == "." else f"{start}/{way}")
        for inner, way in zip(found, ways, strict=True)
    ]


def _image(file: _open) -> tuple[Image | np.ndarray, list[str], bool]:
    """Decode an image file, as it is shown.

    Returns:
        An image of 8 bits per channel, of 16 bits an array, uint16 (height, width, channels); what
        was done to it; and whether the file has further frames.
    """
    import warnings

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # what Pillow warns of is an error here, or nothing
            opened, image, bits = open_image(file.file, file.size, file.name)
            shown = bit_depth.as_shown(image, opened) if bits == 16 else as_shown(image)
            return *shown, has_more(image)
    except DataError:
        raise
    except Exception as error:  # whatever Pillow makes of foreign bytes: SyntaxError, …
        raise DamagedImage(file.name, reason_of(error)) from error


def _told(image: Image | np.ndarray, steps: list[str]) -> _Told:
    """An image of 8 bits per channel on its way; one of 16 bits is made one of 8."""
    import numpy as np
    from PIL import Image

    if isinstance(image, np.ndarray):
        x = bit_depth.to_bytes(image)
        image = Image.fromarray(x if x.shape[2] == 3 else x[..., 0])
        steps.append("made 8 bits a pixel")
    return _Told(image, steps)


def _refuse_other_networks(look: Look) -> None:
    if len(look.shape) not in (2, 3) or look.channels not in (1, 3):
        raise UsageError(
            f"the network takes {'×'.join(map(str, look.shape))} numbers, which is no picture",
            hint="give it an .npy file of that shape",
        )


def _deep(
    image: Image | np.ndarray, steps: list[str], look: Look, invert: bool | None,
    centre: bool | None,
) -> np.ndarray:  # fmt: skip
    """An image in the shape of a network that was trained on 16 bits per channel."""
    import numpy as np

    _refuse_other_networks(look)
    if centre:
        raise UsageError("--centre is for networks of 8 bits per channel, and this one has 16")
    if isinstance(image, np.ndarray):
        x = image
    else:
        shallow = image if image.mode in ("L", "RGB") else converted(image, "RGB")
        x = bit_depth.from_bytes(np.asarray(shallow))
        x = x[..., None] if x.ndim == 2 else x
        steps.append(f"made 16 bits per channel (times {bit_depth.STEP})")
    colored = x.shape[2] == 3 and bool((x[..., :1] != x).any())
    if x.shape[2] != look.channels and (colored or look.channels == 3):
        steps.append("made grey" if look.channels == 1 else "grey in all three channels")
    x = bit_depth.with_channels(x, look.channels)
    if invert:
        x = np.uint16(bit_depth.MOST) - x
        steps.append("inverted")
    if x.shape[:2] != look.size:
        steps.append(_resizing(x.shape[:2], look.size))
        x = bit_depth.resized(x, look.size)
    return x.reshape(look.shape)


def _resizing(size: tuple[int, int], wanted: tuple[int, int]) -> str:
    (height, width), (rows, columns) = size, wanted
    stretched = "" if height * columns == width * rows else ", stretched"
    return f"resized from {height}×{width} to {rows}×{columns}{stretched}"


def _prepared(told: _Told, look: Look, invert: bool | None, centre: bool | None) -> np.ndarray:
    """A decoded picture in the network's shape."""
    import numpy as np
    from PIL import Image

    _refuse_other_networks(look)
    _colours(told, look.channels)
    untouched = told.image.size[::-1] == look.size and not told.steps
    if invert or (invert is None and look.dark and _is_light_around(told.image)):
        why = "" if invert else ", since the network knows light on dark"
        told.now(Image.eval(told.image, lambda value: 255 - value), f"inverted{why}")
    if (centre or (centre is None and look.centred and not untouched)) and look.channels == 1:
        _centre(told, look.size)
    if told.image.size[::-1] != look.size:
        step = _resizing(told.image.size[::-1], look.size)
        told.now(told.image.resize(look.size[::-1], Image.Resampling.BILINEAR), step)
    return np.asarray(told.image, np.uint8).reshape(look.shape)


def _colours(told: _Told, channels: int) -> None:
    """Grey or RGB, of 8 bits."""
    wanted = {1: "L", 3: "RGB"}[channels]
    if told.image.mode != wanted:
        coloured = told.image.mode not in ("1", "L") and not _is_grey(told.image)
        image = converted(told.image, wanted)
        if wanted == "L" and coloured:
            told.now(image, "made grey")
        elif wanted == "RGB" and told.image.mode in ("1", "L"):
            told.now(image, "grey in all three channels")
        else:
            told.image = image


def _is_grey(image: Image) -> bool:
    from PIL import ImageChops

    # By Pillow, channel by channel: as arrays they would take three times the memory.
    red, *others = (image if image.mode == "RGB" else converted(image, "RGB")).split()
    return all(ImageChops.difference(red, other).getbbox() is None for other in others)


def _border(image: Image) -> float:
    """The median of the outermost pixels."""
    import numpy as np

    pixels = np.asarray(image.convert("L"))
    edges = (pixels[0], pixels[-1], pixels[:, 0], pixels[:, -1])
    return float(np.median(np.concatenate(edges)))


def _is_light_around(image: Image) -> bool:
    return _border(image) > 127


def _centre(told: _Told, size: tuple[int, int]) -> None:
    """Cut the drawing out, fit it into MNIST's box, and put its centre of mass into the middle."""
    import numpy as np
    from PIL import Image

    pixels = np.asarray(told.image, np.float64)
    ground, most = _border(told.image), float(pixels.max())
    if most - ground < 16:
        told.steps.append("not centred, since nothing stands out in it")
        return
    if ground > 16 or most < 200:
        pixels = np.clip((pixels - ground) * (255 / (most - ground)), 0, 255)
        told.steps.append(f"contrast stretched from {ground:.0f}–{most:.0f} to 0–255")
    rows, columns = np.nonzero(pixels >= 255 * _INK)
    top, bottom = int(rows.min()), int(rows.max()) + 1
    left, right = int(columns.min()), int(columns.max()) + 1
    height, width = bottom - top, right - left
    scale = min(size[0] * _BOX / height, size[1] * _BOX / width)
    fitted = max(1, round(height * scale)), max(1, round(width * scale))
    drawing = Image.fromarray(pixels[top:bottom, left:right].astype(np.uint8))
    small = np.asarray(drawing.resize(fitted[::-1], Image.Resampling.BOX if scale < 1 else
                                      Image.Resampling.BILINEAR), np.float64)  # fmt: skip
    mass = small.sum() or 1.0
    down = (small.sum(1) * np.arange(fitted[0])).sum() / mass
    across = (small.sum(0) * np.arange(fitted[1])).sum() / mass
    canvas = np.zeros(size, np.uint8)
    # The middle of 28 pixels lies between two of them; MNIST's own centres lie at 14.
    row = min(max(0, round(size[0] / 2 - down)), size[0] - fitted[0])
    column = min(max(0, round(size[1] / 2 - across)), size[1] - fitted[1])
    canvas[row : row + fitted[0], column : column + fitted[1]] = small
    told.now(
        Image.fromarray(canvas),
        f"cut out ({height}×{width}), scaled to {fitted[0]}×{fitted[1]}, centred by its mass",
    )


def _arrays(file: _open, look: Look, folder: str | None) -> Iterator[Incoming]:
    """The pictures of an `.npy` file: one, or (pictures, …)."""
    import numpy as np

    array = read_array(file.file, file.size, file.name)
    pictures, reshaped = _as_pictures(array, look.shape, file.name)
    steps = [reshaped] if reshaped else []
    if pictures.dtype != np.uint8 or look.pixels not in (None, BYTES):
        pictures = _numbers(pictures, look.pixels, file.name, steps)
    for index, picture in enumerate(pictures):
        name = file.name if len(pictures) == 1 else f"{file.name}[{index}]"
        yield Incoming(name, picture, tuple(steps), folder)


def _numbers(x: np.ndarray, known: Range | None, name: str, steps: list[str]) -> np.ndarray:
    """Pixels of any type as those that a network knows, as far as that can be told."""
    import numpy as np

    whole = x.dtype.kind != "f"
    if known == DEEP and x.dtype == np.uint8:
        steps.append(f"made 16 bits per channel (times {bit_depth.STEP})")
        return bit_depth.from_bytes(x)
    if not whole:
        x = as_float32(x, name)
        if not np.isfinite(x).all():
            raise DataError(
                f"{name} holds values that are not finite",
                hint="look for a division by 0 or missing values where the array was made",
            )
    least, most = float(x.min()), float(x.max())
    if known == BYTES:
        if not 0 <= least <= most <= 255:
            raise DataError(
                f"{name} has {_words((least, most))}; the network was trained on 0 to 255"
            )
        if not whole and most <= 1:
            steps.append("values from 0 to 1 taken times 255")
            return x * np.float32(255)
        return x.astype(np.uint8) if whole else x
    if known == UNIT and whole and least >= 0 and 1 < most <= 255:
        return _divided(x, steps)
    if known is not None:
        near = (known[1] - known[0]) / 2
        if least < known[0] - near or most > known[1] + near:
            steps.append(
                f"it has {_words((least, most))}, and the network was trained on {_words(known)}"
            )
    return x.astype(np.float32)


def _divided(x: np.ndarray, steps: list[str]) -> np.ndarray:
    import numpy as np

    steps.append("divided by 255, since the network knows values from 0 to 1")
    return x.astype(np.float32) / np.float32(255)


def _words(found: Range) -> str:
    return f"values from {found[0]:.6g} to {found[1]:.6g}"


def _as_pictures(array: Any, shape: tuple[int, ...], name: str) -> tuple[np.ndarray, str | None]:
    """An array as (pictures, *shape), and what was done to it."""
    whole = array.shape
    if array.size == 0:
        raise DataError(f"{name} is empty: its shape is {'×'.join(map(str, whole)) or '()'}")
    for candidate, step in ((whole, None), ((*whole, 1), "a channel added")):
        for pictures in (candidate, (1, *candidate)):
            if pictures[1:] == shape and math.prod(pictures) == array.size:
                return array.reshape(pictures), step
    if whole[-1:] == (1,) and whole[:-1] in (shape, (*whole[:1], *shape)):
        return array.reshape(-1, *shape), "the channel taken away"
    came, wanted = ("×".join(map(str, each)) for each in (whole, shape))
    raise DataError(f"{name} has the shape {came}; the network takes {wanted}")
