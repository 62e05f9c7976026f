"""The folders below one, each listed once: which files are images, and which are not read."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from cnnctl.data.images.formats import is_readable, looks_like_image
from cnnctl.data.names import canonical
from cnnctl.io.path_kinds import kind_of

_JUNK = frozenset({
    "__MACOSX", "__pycache__", "@eaDir", "$RECYCLE.BIN", "System Volume Information", "lost+found",
    "Thumbs.db", "ehthumbs.db", "desktop.ini", "Desktop.ini", "Icon\r",
})  # fmt: skip
"""What operating systems and storage devices leave in folders, besides hidden files."""


_MOST_OPENED = 1000
"""How many files that are not named like images are opened to see whether they are."""


def is_hidden(name: str) -> bool:
    """Whether a file or folder is hidden, or left by an operating system: `__MACOSX`."""
    return name.startswith(".") or name in _JUNK


@dataclass(slots=True)
class Listing:
    """What one folder holds, by kind; the names of images and folders are sorted.

    Args:
        images: Files that are named like images that are read.
        folders: Subfolders, links to some included.
        unread: Files that are named like images of other formats.
        broken: Links and devices that are named like images.
        others: Other files.
        hidden: Hidden folders, and hidden files that are named like images.
    """

    images: list[str] = field(default_factory=list)
    folders: list[str] = field(default_factory=list)
    unread: list[str] = field(default_factory=list)
    broken: list[str] = field(default_factory=list)
    others: list[str] = field(default_factory=list)
    hidden: list[str] = field(default_factory=list)


class Image(NamedTuple):
    """An image file.

    Args:
        below: Its path below the class folder, with slashes, normalized (NFC).
        path: Its path.
    """

    below: str
    path: str


class Tree:
    """A folder and those below it.

    Args:
        root: The folder.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self._listings: dict[str, Listing] = {}
        self._used: dict[str, Listing] = {}

    def listing(self, folder: Path | str) -> Listing:
        """List a folder.

        Raises:
            OSError: It cannot be listed.
        """
        path = str(folder)
        if path in self._listings:
            return self._listings[path]
        found = self._listings[path] = Listing()
        with os.scandir(path) as entries:
            for entry in entries:
                name = entry.name
                if is_hidden(name):
                    if _is(entry.is_dir) or (is_readable(name) and not name.startswith("._")):
                        found.hidden.append(name)
                elif is_readable(name) and _is(entry.is_file):
                    found.images.append(name)
                elif _is(entry.is_dir):
                    found.folders.append(name)
                elif is_readable(name):
                    found.broken.append(name)
                else:
                    (found.unread if looks_like_image(name) else found.others).append(name)
        found.images.sort()
        found.folders.sort()
        return found

    def use(self, folder: Path | str) -> Listing:
        """List a folder that belongs to the data: `left_out` tells what was not read of it."""
        listing = self._used[str(folder)] = self.listing(folder)
        return listing

    def below(self, folders: Sequence[str]) -> list[Image]:
        """Return the images in folders and their subfolders, folder by folder, as Keras does.

        Each folder is listed once, however many links lead to it.
        """
        found: list[tuple[tuple[str, ...], list[Image]]] = []
        seen: set[tuple[int, int]] = set()
        waiting: list[tuple[str, tuple[str, ...]]] = [(path, ()) for path in reversed(folders)]
        while waiting:
            path, way = waiting.pop()
            if _was_seen(path, seen):
                continue
            listing = self.use(path)
            start, below = path + os.sep, "".join(f"{name}/" for name in way)
            images = [Image(below + canonical(name), start + name) for name in listing.images]
            if not all(map(str.isascii, listing.images)):
                images.sort()
            found.append((way, images))
            waiting += ((start + name, (*way, canonical(name))) for name in listing.folders[::-1])
        found.sort(key=lambda pair: pair[0])
        return [image for _, images in found for image in images]

    def has_images(self, folder: Path | str) -> bool:
        """Whether there are images in a folder or below it."""
        waiting = [str(folder)]
        seen: set[tuple[int, int]] = set()
        while waiting:
            path = waiting.pop()
            if _was_seen(path, seen):
                continue
            listing = self.listing(path)
            if listing.images:
                return True
            waiting += (path + os.sep + name for name in listing.folders)
        return False

    def left_out(self, kind: str) -> list[str]:
        """Return what was not read of the folders in use, as paths from the root.

        Args:
            kind: `unread`, `broken`, `others` or `hidden`.
        """
        return sorted(
            os.path.relpath(path + os.sep + name, self.root)
            for path, listing in self._used.items()
            for name in getattr(listing, kind)
        )


def images_among(names: Sequence[str], folder: Path = Path()) -> list[str]:
    """Return the files whose content is an image; of many only the first ones are opened.

    Args:
        names: Of files that are not named like images.
        folder: Where they are.
    """
    return [name for name in names[:_MOST_OPENED] if kind_of(folder / name) == "image"]


def _was_seen(path: str, seen: set[tuple[int, int]]) -> bool:
    status = os.stat(path)  # noqa: PTH116 - a `Path` for each folder takes longer
    key = (status.st_dev, status.st_ino)
    if key in seen:
        return True
    seen.add(key)
    return False


def _is(kind: Callable[[], bool]) -> bool:
    """Whether an entry is of a kind; a link that leads round in circles is of none."""
    try:
        return kind()
    except OSError:
        return False
