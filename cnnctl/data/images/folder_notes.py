"""Notes on a folder of images: what was taken for a split, and what was not read."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from cnnctl.data.images.folder_tree import Tree, images_among
from cnnctl.data.images.formats import ADD_SUFFIX, FORMATS, looking
from cnnctl.data.names import SPLITS, split_of
from cnnctl.io.text import counted, some, was


def splits_beside(folder: Path) -> Iterator[str]:
    """Where the folder is itself a split, with the other splits beside it."""
    own = folder.resolve()
    if split_of(own.name) is None:
        return
    beside = [name for name in Tree(own.parent).listing(own.parent).folders
              if split_of(name) and name != own.name]  # fmt: skip
    if beside:
        yield (
            f"{folder} is named like a split, and {some(f'{name}/' for name in beside)} "
            f"beside it {'is' if len(beside) == 1 else 'are'} not read; to use "
            f"{'both' if len(beside) == 1 else 'all'}, write `path: {folder.parent}`"
        )


def loose_images(tree: Tree, folder: Path) -> Iterator[str]:
    """Images that lie in no class folder."""
    if loose := tree.listing(folder).images:
        yield (
            f"{folder}: {counted(len(loose), 'image')} outside the class folders "
            f"{was(len(loose))} not read ({some(loose)})"
        )


def split_folders(folder: Path, folders: dict[str, Path]) -> Iterator[str]:
    """Which folders were taken for which split."""
    if any(path.name != split for split, path in folders.items()):
        each = (f"{path.name}/ is the {SPLITS[split]} split" for split, path in folders.items())
        yield f"{folder}: {', '.join(each)}"
    real: dict[str, str] = {}
    for split, path in folders.items():
        other = real.setdefault(os.path.realpath(path), split)
        if other != split:
            yield f"{path}: the {SPLITS[other]} and {SPLITS[split]} splits are the same folder"


def left_out(tree: Tree, folder: Path) -> Iterator[str]:
    """Files that were not read."""
    if unread := tree.left_out("unread"):
        yield (
            f"{folder}: {looking(unread)} {was(len(unread))} not read "
            f"({some(unread)}); convert them to {FORMATS}"
        )
    if broken := tree.left_out("broken"):
        yield (
            f"{folder}: {counted(len(broken), 'link')} to missing files "
            f"{was(len(broken))} not read ({some(broken)})"
        )
    others = tree.left_out("others")
    if images := images_among(others, folder):
        yield (
            f"{folder}: {counted(len(images), 'file')} whose content is an image "
            f"{was(len(images))} not read ({some(images)}); {ADD_SUFFIX}"
        )
    if others := sorted({*others} - {*images}):
        kinds = sorted({Path(name).suffix.lower() or "no suffix" for name in others})
        yield (
            f"{folder}: {counted(len(others), 'other file')} {was(len(others))} not "
            f"read ({some(kinds)})"
        )
    hidden = [
        name
        for name in tree.left_out("hidden")
        if not (path := folder / name).is_dir() or tree.has_images(path)
    ]
    if hidden:
        yield f"{folder}: images in hidden files and folders were not read ({some(hidden)})"
