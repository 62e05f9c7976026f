"""How a folder of images is laid out: which folders are splits and classes, and what is in them.

Two layouts are known: `train/<class>/…` with `validation/` and `test/` beside it in their usual
spellings, and `<class>/…` alone, which is split by a rule. Nothing is decoded here: every folder is
listed once.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cnnctl.data.images.folder_notes import left_out, loose_images, split_folders, splits_beside
from cnnctl.data.images.folder_refusals import (
    EXPECTED,
    no_images,
    refuse_class_first,
    refuse_foreign,
    refuse_half_splits,
    refuse_wrapped,
)
from cnnctl.data.images.folder_split import SplitRule
from cnnctl.data.images.folder_tree import Image, Tree
from cnnctl.data.names import SPLITS, canonical, mentions_split, split_of
from cnnctl.errors import DataError
from cnnctl.io.path_kinds import kind_of, refuse_other
from cnnctl.io.text import counted, some
from cnnctl.runs.find import RUNS_DIR

File = tuple[str, int]
"""An image's path and its class number."""


@dataclass(frozen=True, slots=True)
class Layout:
    """The images of a folder.

    Args:
        splits: The files of each split that there is, in the order in which they are read: by name
            within their class, and classes alternating in proportion.
        folders: The folder of each split; empty where a rule splits the images.
        class_names: By class number, normalized (NFC), in sorted order.
        rule: The rule that splits the images; None where folders do.
        notes: What people should be told.
    """

    splits: dict[str, list[File]]
    folders: dict[str, Path]
    class_names: tuple[str, ...]
    rule: SplitRule | None
    notes: tuple[str, ...]

    def to_dict(self) -> dict[str, Any]:
        """What is recorded with a run."""
        if self.rule is None:
            return {"folders": {split: path.name for split, path in self.folders.items()}}
        return self.rule.to_dict()


def find_layout(folder: Path, rule: SplitRule | None = None) -> Layout:
    """Find out which splits and classes a folder has, and list their images.

    Args:
        folder: The folder.
        rule: How images are split where no folders do.

    Raises:
        DataError: The folder is laid out in no known way, a split is spelled in two ways, a split
            has a class that the training images lack, or a class name is not UTF-8.
    """
    if folder.is_file():
        refuse_other(folder, "folder of images", raises=DataError)
    if not folder.is_dir():
        raise DataError(f"{folder} is not a folder", hint=EXPECTED)
    try:
        return _Finder(folder, rule or SplitRule()).find()
    except OSError as error:
        raise DataError(f"cannot read {error.filename}: {error.strerror}") from error


class _Finder:
    def __init__(self, folder: Path, rule: SplitRule) -> None:
        self._folder, self._rule = folder, rule
        self._tree = Tree(folder)
        self._notes: list[str] = []

    def find(self) -> Layout:
        top = self._tree.listing(self._folder)
        named: dict[str, list[str]] = {}
        for name in top.folders:
            if (split := split_of(name)) is not None:
                named.setdefault(split, []).append(name)
        spelled = {name for names in named.values() for name in names}
        others = [name for name in top.folders if name not in spelled]
        if any(self._tree.listing(self._folder / name).folders for name in named.get("train", ())):
            return self._find_splits(named, others)
        refuse_half_splits(self._tree, named, others)
        return self._find_flat([name for name in top.folders if not self._are_runs(name)])

    def _are_runs(self, name: str) -> bool:
        """Whether a folder is the `runs/` of trainings that were started here; that is said."""
        if name != RUNS_DIR.name or kind_of(self._folder / name) != "runs":
            return False
        self._notes.append(f"{self._folder}: {name}/ holds runs, and is not a class")
        return True

    def _find_splits(self, named: dict[str, list[str]], others: list[str]) -> Layout:
        folders = {split: self._one(split, named[split]) for split in SPLITS if split in named}
        self._notes += loose_images(self._tree, self._folder)
        classes = self._classes(folders["train"], self._tree.listing(folders["train"]).folders)
        refuse_wrapped(self._tree, folders["train"], classes)
        splits: dict[str, list[File]] = {}
        for split, folder in folders.items():
            listing = self._tree.listing(folder)
            own = classes if split == "train" else self._classes(folder, listing.folders)
            images = {name: self._tree.below(paths) for name, paths in own.items()}
            if split != "train":
                refuse_foreign(folder, folders["train"], images, set(classes))
            if any(images.values()):
                splits[split] = _interleaved(list(classes), images)
                self._tree.use(folder)
                self._notes += loose_images(self._tree, folder)
            elif split == "train":
                raise no_images(self._tree, folder)
            elif loose := len(listing.images):
                self._notes.append(
                    f"{folder} has {counted(loose, 'image')} and no class folders, so the classes "
                    f"are not known and there is no {split} split; put images into "
                    f"{folder.name}/<class>/"
                )
            else:
                self._tree.use(folder)
                self._notes.append(f"{folder} has no images, so there is no {split} split")
        folders = {split: folder for split, folder in folders.items() if split in splits}
        self._notes += split_folders(self._folder, folders)
        if beside := [name for name in others if self._tree.has_images(self._folder / name)]:
            self._notes.append(
                f"{self._folder}: {some(f'{name}/' for name in beside)} beside "
                f"{folders['train'].name}/ {'holds' if len(beside) == 1 else 'hold'} images that "
                "were not read; move classes into the split that they belong to"
            )
        if not self._rule.is_default:
            self._notes.append(
                f"{self._folder} has split folders, so `split` and `split_seed` are not used"
            )
        self._notes += left_out(self._tree, self._folder)
        return Layout(splits, folders, tuple(classes), None, tuple(self._notes))

    def _find_flat(self, names: list[str]) -> Layout:
        classes = self._classes(self._folder, names)
        refuse_wrapped(self._tree, self._folder, classes)
        refuse_class_first(self._tree, classes)
        images = {name: self._tree.below(paths) for name, paths in classes.items()}
        self._tree.use(self._folder)
        if not any(images.values()):
            raise no_images(self._tree, self._folder)
        parts: dict[str, dict[str, list[Image]]] = {split: {} for split in SPLITS}
        for name, own in images.items():
            chosen = self._rule.divide(name, [image.below for image in own])
            for split, indices in zip(SPLITS, chosen, strict=True):
                parts[split][name] = [own[index] for index in indices]
        splits = {
            split: _interleaved(list(classes), own)
            for split, own in parts.items()
            if any(own.values())
        }
        shares = ", ".join(
            f"{100 * part:.3g}% {SPLITS[split]} ({len(splits.get(split, ())):,})"
            for split, part in zip(SPLITS, self._rule.parts, strict=True)
        )
        self._notes.append(
            f"{self._folder} has no split folders; the images of each class are split by their "
            f"names and the seed {self._rule.seed}: {shares}; `split` and `split_seed` change that"
        )
        self._notes += splits_beside(self._folder)
        small = {n: len(own) for n, own in images.items() if 0 < len(own) < self._rule.fewest}
        if small:
            few = some(f"{name}: {count}" for name, count in small.items())
            self._notes.append(
                f"{self._folder}: classes with fewer than {self._rule.fewest} images are used for "
                f"training only ({few})"
            )
        self._notes += loose_images(self._tree, self._folder)
        if looks := [name for name in classes if mentions_split(name)]:
            self._notes.append(
                f"{self._folder}: read as {counted(len(looks), 'class')}, since there is no train/ "
                f"with class folders: {some(f'{name}/' for name in looks)}; lay splits out as "
                "train/<class>/, validation/<class>/ and test/<class>/"
            )
        self._notes += left_out(self._tree, self._folder)
        return Layout(splits, {}, tuple(classes), self._rule, tuple(self._notes))

    def _one(self, split: str, names: list[str]) -> Path:
        """The one folder of a split; several names for the same folder are one."""
        real = {os.path.realpath(self._folder / name) for name in names}
        if len(real) > 1:
            raise DataError(
                f"{self._folder} has the {SPLITS[split]} split twice: "
                f"{' and '.join(f'{name}/' for name in names)}",
                hint="keep the images of a split in one of them, and move the other elsewhere",
            )
        return self._folder / names[0]

    def _classes(self, folder: Path, names: Sequence[str]) -> dict[str, list[str]]:
        """The folders of each class, by its name: several, where names differ in normalization."""
        found: dict[str, list[str]] = {}
        for name in names:
            if any("\udc80" <= letter <= "\udcff" for letter in name):
                raise DataError(
                    f"{folder} has a class folder whose name is not UTF-8: {os.fsencode(name)!r}",
                    hint="rename the folder",
                )
            found.setdefault(canonical(name), []).append(str(folder / name))
        if twice := [name for name, paths in found.items() if len(paths) > 1]:
            self._notes.append(
                f"{folder}: folders whose names differ only in Unicode normalization are one class "
                f"({some(twice)})"
            )
        alike: dict[str, list[str]] = {}
        for name in found:
            alike.setdefault(name.casefold(), []).append(name)
        for same in alike.values():
            if len(same) > 1:
                self._notes.append(
                    f"{folder}: {' and '.join(same)} differ only in case, and are "
                    f"{len(same)} classes; if one is meant, move their images into one folder"
                )
        return {name: found[name] for name in sorted(found)}


def _interleaved(classes: list[str], images: dict[str, list[Image]]) -> list[File]:
    """The images of a split, classes alternating in proportion."""
    files: list[tuple[float, int, str]] = []  # each by its relative place within its class
    for label, name in enumerate(classes):
        own = images.get(name, [])
        files += (((rank + 0.5) / len(own), label, each.path) for rank, each in enumerate(own))
    return [(path, label) for _, label, path in sorted(files)]
