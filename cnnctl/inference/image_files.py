"""Find and open the image and `.npy` files that users name: files, folders, standard input."""

from __future__ import annotations

import io
import sys
from pathlib import Path
from typing import BinaryIO

from cnnctl.data.images.folder_tree import images_among, is_hidden
from cnnctl.data.images.formats import SUFFIXES as IMAGES
from cnnctl.data.images.formats import looking, looks_like_image
from cnnctl.data.images.open_image import LARGEST
from cnnctl.errors import UsageError
from cnnctl.io.path_kinds import kind_of, refuse_other
from cnnctl.io.text import some
from cnnctl.io.untrusted import open_plain

SUFFIXES = (*IMAGES, ".npy")
STDIN = "-"

_OTHER_KINDS = frozenset({"arrays", "exported", "model", "notebook", "python", "spec", "weights"})
"""What is no image, and has a command that takes it; of other files the decoder says what they are.
"""

MOST_BYTES = 4 * LARGEST


class ImageFile:
    """A plain file, standard input read to its end, or bytes in memory."""

    def __init__(self, path: str, data: bytes | None = None) -> None:
        self.name = "standard input" if path == STDIN else path
        if data is not None:
            self.file: BinaryIO = io.BytesIO(data)
        elif path == STDIN:
            if sys.stdin.isatty():
                raise UsageError("`-` is standard input, which is a terminal here, not a file")
            data = sys.stdin.buffer.read(MOST_BYTES + 1)
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

    def __enter__(self) -> ImageFile:
        return self

    def __exit__(self, *_: object) -> None:
        self.file.close()


def find_files(given: str, unread: list[str]) -> list[tuple[str, str | None]]:
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
            return _find_in(path, unread)
        is_there = path.exists()
    except OSError as error:
        raise UsageError(f"cannot read {path}: {error.strerror or error}") from error
    raise UsageError(f"{path} is neither a file nor a folder" if is_there
                     else f"there is no file {path}")  # fmt: skip


def _find_in(path: Path, unread: list[str]) -> list[tuple[str, str | None]]:
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
