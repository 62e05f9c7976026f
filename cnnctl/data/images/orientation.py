"""A decoded image as a viewer shows it: upright, and on white where it is transparent.

For images of 8 bits per channel; `deep.py` has those of 16. Training images and those that
somebody brings along go through it alike, so that a network sees the same pixels of the same file.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from PIL.Image import Image

_ORIENTATION = 0x0112
_TURNS = {
    2: "FLIP_LEFT_RIGHT",
    3: "ROTATE_180",
    4: "FLIP_TOP_BOTTOM",
    5: "TRANSPOSE",
    6: "ROTATE_270",
    7: "TRANSVERSE",
    8: "ROTATE_90",
}
"""EXIF's orientations, and what Pillow calls the turn that undoes each."""


def as_shown(image: Image) -> tuple[Image, list[str]]:
    """Turn an image as its EXIF data says, and lay it on white if it is transparent.

    Args:
        image: As Pillow opens it, of any mode.

    Returns:
        The image, RGB if it had transparency and of its own mode else; and what was done to it,
        in words.
    """
    from PIL import Image

    steps = []
    if way := turn(image):
        image = image.transpose(Image.Transpose[way])
        steps.append("turned as its EXIF data says")
    if image.has_transparency_data and not image.mode.startswith(("I", "F")):
        rgba = image.convert("RGBA")
        ground = Image.new("RGBA", rgba.size, "white")
        ground.alpha_composite(rgba)
        image = ground.convert("RGB")
        if any(rgba.getchannel("A").histogram()[:255]):
            steps.append("laid on white where it is transparent")
    return image, steps


def turn(image: Image) -> str | None:
    """Pillow's name of the turn that brings an image upright by its EXIF data; loads the image."""
    image.load()  # EXIF data may come after the pixels
    try:
        return _TURNS.get(image.getexif().get(_ORIENTATION, 1))
    except Exception:  # whatever Pillow makes of foreign bytes; the image itself is sound
        return None
