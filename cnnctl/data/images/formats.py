"""The image formats that are read, and those that only look like it; the one list of both."""

from __future__ import annotations

from collections.abc import Sequence

from cnnctl.io.text import counted

PILLOW_FORMATS = ("PNG", "JPEG", "WEBP", "BMP", "DIB", "TIFF", "GIF", "PPM")
"""Pillow's names of the formats that are read; a file is read by its content, not by its name."""

SUFFIXES = (
    *(".png", ".apng", ".jpg", ".jpeg", ".jpe", ".jfif", ".webp", ".bmp", ".dib", ".tif", ".tiff"),
    *(".gif", ".mpo", ".ppm", ".pgm", ".pbm", ".pnm"),
)
"""How the names of image files end, in lower case."""

FORMATS = "PNG, JPEG, WebP, BMP, TIFF, GIF or PPM"
"""For messages."""

ADD_SUFFIX = "add the suffix of the format to the name, such as .png or .jpg"
"""The fix for files that are images by their content alone."""

_UNREAD = (
    *(".heic", ".heif", ".hif", ".avif", ".jxl", ".jp2", ".j2k", ".jpf", ".jpx", ".svg", ".svgz"),
    *(".psd", ".xcf", ".ico", ".icns", ".tga", ".exr", ".hdr", ".pfm", ".dcm", ".dicom", ".nii"),
    *(".raw", ".dng", ".cr2", ".cr3", ".nef", ".arw", ".orf", ".rw2", ".raf", ".eps", ".pcx"),
    *(".qoi", ".dds", ".sgi", ".ras", ".xbm", ".xpm", ".wmf", ".emf", ".fits"),
)


def is_readable(name: str) -> bool:
    """Whether a file is named like an image that is read."""
    return name.lower().endswith(SUFFIXES)


def looks_like_image(name: str) -> bool:
    """Whether a file is named like an image, of a format that is read or of another one.

    A suffix before the last one counts: `photo.jpg.part`, `photo.png.download`.
    """
    lower = name.lower()
    return lower.endswith((*SUFFIXES, *_UNREAD)) or lower.rpartition(".")[0].endswith(SUFFIXES)


def looking(names: Sequence[str]) -> str:
    """Return `2 files that look like images` for two names."""
    verb = "looks like an image" if len(names) == 1 else "look like images"
    return f"{counted(len(names), 'file')} that {verb}"
