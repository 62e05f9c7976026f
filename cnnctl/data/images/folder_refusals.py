"""Folders that are laid out in no way that can be meant, each with a fix."""

from __future__ import annotations

import os
import re
from pathlib import Path

from cnnctl.data.images.folder_tree import Image, Tree, images_among
from cnnctl.data.images.formats import ADD_SUFFIX, FORMATS, looking
from cnnctl.data.names import canonical, split_of
from cnnctl.errors import DataError
from cnnctl.io.text import counted, some

EXPECTED = (
    "expected train/<class>/… with images, and optionally validation/ and test/ with the same "
    "classes; or <class>/… alone, which is split by a rule"
)
"""The layouts, as a fix."""


def refuse_half_splits(tree: Tree, named: dict[str, list[str]], others: list[str]) -> None:
    """Reject folders that are meant as splits, without training images in class folders.

    Args:
        tree: The folder.
        named: The names of its subfolders that are named like a split, by split.
        others: Those of its other subfolders.

    Raises:
        DataError: As said.
    """
    with_images = [name for name in others if tree.has_images(tree.root / name)]
    if trains := named.get("train"):
        train = tree.root / trains[0]
        count = len(tree.listing(train).images)
        if count and with_images:
            return  # a class that is called `train`
        raise DataError(
            f"{train} has no class folders" + (f", but {counted(count, 'image')}" * bool(count)),
            hint=f"put the images of each class into their own folder: {train.name}/<class>/…",
        )
    if not named:
        return
    spelled = [name for names in named.values() for name in names]

    def inside(name: str) -> set[str]:
        return {canonical(each) for each in tree.listing(tree.root / name).folders}

    classes = set().union(*map(inside, spelled))
    alike = [name for name in with_images if classes & inside(name)]
    siblings = [name for name in with_images if canonical(name) in classes]
    if with_images and not alike and not siblings:
        return  # a class that is called `test`, say
    hint = "name the folder with the training images train/, with a folder for each class in it"
    if alike:
        hint = f"rename {alike[0]}/ to train/, if these are the training images"
    elif siblings:
        hint = f"move {some(f'{name}/' for name in siblings)} into train/"
    raise DataError(
        f"{tree.root} has {' and '.join(f'{name}/' for name in spelled)}, but no folder "
        "train/ with training images",
        hint=hint,
    )


def refuse_wrapped(tree: Tree, folder: Path, classes: dict[str, list[str]]) -> None:
    """Reject a folder that holds nothing but the folder that is meant, as archives often do.

    Args:
        tree: The whole folder.
        folder: It, or the one of its training split.
        classes: The paths of its class folders, by class.

    Raises:
        DataError: As said.
    """
    if len(classes) != 1:
        return
    ((name, (path, *_)),) = classes.items()
    listing = tree.listing(path)
    inner = [each for each in listing.folders if tree.has_images(f"{path}{os.sep}{each}")]
    splits = [each for each in inner if split_of(each)]
    if listing.images or not (len(inner) > 1 or splits):
        return
    is_top = folder == tree.root
    fix = f"write `path: {path}`" if is_top else f"move them from {path} into {folder}"
    if not splits:
        raise DataError(
            f"{folder} has one class folder, {name}, whose images lie in "
            f"{some(f'{each}/' for each in inner)}",
            hint=f"if those are the classes, {fix}",
        )
    if not any(tree.listing(f"{path}{os.sep}{each}").folders for each in splits):
        fix += f", and put the images of each class into their own folder: {splits[0]}/<class>/…"
    raise DataError(
        f"{folder} has one folder, {name}, which holds "
        f"{counted(len(splits), 'split')}: {some(f'{each}/' for each in splits)}",
        hint=fix,
    )


def refuse_class_first(tree: Tree, classes: dict[str, list[str]]) -> None:
    """Reject `<class>/train/` and `<class>/test/`, which would be mixed.

    Args:
        tree, classes: As in `refuse_wrapped`.

    Raises:
        DataError: As said.
    """
    for paths in classes.values():
        below = {split_of(name) for path in paths for name in tree.listing(path).folders}
        if not ("train" in below and below & {"validation", "test"}):
            return
    if classes:
        name = min(classes)
        raise DataError(
            f"{tree.root} has the splits inside of the class folders, such as {name}/train/",
            hint="lay them out as train/<class>/, validation/<class>/ and test/<class>/",
        )


def refuse_foreign(
    folder: Path, train: Path, images: dict[str, list[Image]], known: set[str]
) -> None:
    """Reject classes with images that the training split does not have.

    Args:
        folder: The folder of a split.
        train: That of the training split.
        images: The images of the split, by class.
        known: The classes of the training split.

    Raises:
        DataError: As said.
    """
    foreign = [name for name, own in images.items() if own and name not in known]
    if not foreign:
        return
    alike = {_loose(name): name for name in known if _loose(name)}
    meant = [(name, alike[_loose(name)]) for name in foreign if _loose(name) in alike]
    if meant:
        hint = "rename " + " and ".join(f"{name}/ to {other}/" for name, other in meant[:3])
    else:
        hint = f"{train.name}/ has {some(sorted(known))}; add the class there, or move it away"
    if len(foreign) == 1:
        what = f"{folder / foreign[0]} is a class that {train.name}/ does not have"
    else:
        what = f"{folder} has classes that {train.name}/ does not have: {some(foreign)}"
    raise DataError(what, hint=hint)


def no_images(tree: Tree, folder: Path) -> DataError:
    """Return the error of a folder without images in class folders, by what is there instead."""
    tree.use(folder)
    unread, broken = tree.left_out("unread"), tree.left_out("broken")
    if unread:
        return DataError(
            f"{folder} has no images that can be read, but {looking(unread)}: {some(unread)}",
            hint=f"convert them to {FORMATS}",
        )
    if broken:
        return DataError(
            f"{folder} has no images that can be read, but {counted(len(broken), 'link')} to "
            f"missing files: {some(broken)}",
            hint="put the files where the links point",
        )
    if images := images_among(tree.left_out("others"), tree.root):
        return DataError(
            f"{folder} has no files that are named like images, but {counted(len(images), 'file')} "
            f"whose content is an image: {some(images)}",
            hint=ADD_SUFFIX,
        )
    loose = tree.listing(folder).images
    if loose:
        return DataError(
            f"{folder} has {counted(len(loose), 'image')}, but none in class folders",
            hint="put the images of each class into a folder of their own: <class>/…",
        )
    return DataError(f"{folder} has no images in class folders", hint=EXPECTED)


def _loose(name: str) -> str:
    return re.sub(r"[\W_]+", "", name.casefold())
