"""What a file that is not an image is instead, told by its first bytes."""

from __future__ import annotations

from cnnctl.data.images.formats import FORMATS

START = 512
"""How many bytes are enough to tell."""

_CONVERT = "convert it to PNG or JPEG"

_READ = (
    (b"\x89PNG", "PNG"),
    (b"\xff\xd8", "JPEG"),
    (b"GIF8", "GIF"),
    (b"RIFF", "WebP"),
    (b"II*\x00", "TIFF"),
    (b"MM\x00*", "TIFF"),
    (b"BM", "BMP"),
)
_STARTS = (
    (b"version https://git-lfs", "a Git LFS pointer: get the image itself with `git lfs pull`"),
    (b"\x93NUMPY", "a NumPy array"),
    (b"PK\x03\x04", "a zip archive"),
    (b"\x1f\x8b", "a gzip archive"),
    (b"%PDF", "a PDF document"),
    (b"8BPS", f"a Photoshop file: {_CONVERT}"),
    (b"\x00\x00\x01\x00", f"an icon: {_CONVERT}"),
    (b"\x00\x00\x00\x0cjP", f"JPEG 2000: {_CONVERT}"),
    (b"\xff\x4f\xff\x51", f"JPEG 2000: {_CONVERT}"),
    (b"\x00\x00\x00\x0cJXL", f"JPEG XL: {_CONVERT}"),
    (b"\xff\x0a", f"JPEG XL: {_CONVERT}"),
    (b"\x1aE\xdf\xa3", "a video"),
    (b"{", "JSON"),
)
_BRANDS = {b"avif": "AVIF", b"avis": "AVIF", b"heic": "HEIC", b"heix": "HEIC", b"mif1": "HEIC"}


def what_it_is(start: bytes) -> str:
    """Say what a file that Pillow does not know is, for an error.

    Args:
        start: Its first bytes, `START` of them are enough.
    """
    text = start.lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if not start:
        return "the file is empty"
    if not start.strip(b"\x00"):
        return "it begins with zeros only, as after a copy that was interrupted"
    if text.startswith(b"<"):
        is_svg = b"<svg" in text
        return f"it is an SVG drawing: {_CONVERT}" if is_svg else "it is an HTML or XML page"
    if start[4:8] == b"ftyp":
        brand = _BRANDS.get(start[8:12])
        return f"it is {brand}: {_CONVERT}" if brand else "it is a video"
    for head, name in _READ:
        if start.startswith(head):
            return f"it begins like {name}, and is damaged or cut off"
    for head, words in _STARTS:
        if start.startswith(head):
            return f"it is {words}"
    return f"it is not a {FORMATS} file"
