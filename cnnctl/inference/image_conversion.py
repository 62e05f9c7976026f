"""Convert decoded images to a network's input, and report every conversion."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cnnctl.data.images import bit_depth
from cnnctl.data.images.decode import converted
from cnnctl.data.images.open_image import DamagedImage, has_more, open_image, reason_of
from cnnctl.data.images.orientation import as_shown
from cnnctl.errors import DataError, UsageError
from cnnctl.inference.centering import center, has_light_border
from cnnctl.inference.image_files import ImageFile
from cnnctl.inference.image_style import Look

if TYPE_CHECKING:
    import numpy as np
    from PIL.Image import Image


def decode(file: ImageFile) -> tuple[Image | np.ndarray, list[str], bool]:
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


def _refuse_other_shapes(look: Look) -> None:
    if len(look.shape) not in (2, 3) or look.channels not in (1, 3):
        raise UsageError(
            f"the network takes {'×'.join(map(str, look.shape))} numbers, which is no picture",
            hint="give it an .npy file of that shape",
        )


def as_16_bits(
    image: Image | np.ndarray, steps: list[str], look: Look, invert: bool | None,
    centre: bool | None,
) -> np.ndarray:  # fmt: skip
    """Convert a decoded image to the input of a network that was trained on 16 bits per channel."""
    import numpy as np

    _refuse_other_shapes(look)
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


def as_8_bits(
    image: Image | np.ndarray, steps: list[str], look: Look, invert: bool | None,
    centre: bool | None,
) -> np.ndarray:  # fmt: skip
    """Convert a decoded image to the input of a network that was trained on 8 bits per channel."""
    import numpy as np
    from PIL import Image

    _refuse_other_shapes(look)
    if isinstance(image, np.ndarray):
        x = bit_depth.to_bytes(image)
        image = Image.fromarray(x if x.shape[2] == 3 else x[..., 0])
        steps.append("made 8 bits a pixel")
    image = _with_channels(image, steps, look.channels)
    untouched = image.size[::-1] == look.size and not steps
    if invert or (invert is None and look.dark and has_light_border(image)):
        image = Image.eval(image, lambda value: 255 - value)
        steps.append("inverted" + ("" if invert else ", since the network knows light on dark"))
    if (centre or (centre is None and look.centred and not untouched)) and look.channels == 1:
        image = center(image, steps, look.size)
    if image.size[::-1] != look.size:
        steps.append(_resizing(image.size[::-1], look.size))
        image = image.resize(look.size[::-1], Image.Resampling.BILINEAR)
    return np.asarray(image, np.uint8).reshape(look.shape)


def _with_channels(image: Image, steps: list[str], channels: int) -> Image:
    """Grey or RGB, of 8 bits."""
    wanted = {1: "L", 3: "RGB"}[channels]
    if image.mode == wanted:
        return image
    grey = image.mode in ("1", "L")
    if wanted == "RGB" and grey:
        steps.append("grey in all three channels")
    elif wanted == "L" and not grey and not _is_grey(image):
        steps.append("made grey")
    return converted(image, wanted)


def _is_grey(image: Image) -> bool:
    from PIL import ImageChops

    # By Pillow, channel by channel: as arrays they would take three times the memory.
    red, *others = (image if image.mode == "RGB" else converted(image, "RGB")).split()
    return all(ImageChops.difference(red, other).getbbox() is None for other in others)
