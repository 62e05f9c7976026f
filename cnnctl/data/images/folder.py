"""Images in folders, decoded: `train/<class>/…`, or `<class>/…`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from cnnctl.data.dataset import Dataset, Split, make_dataset
from cnnctl.data.images.decode import Format
from cnnctl.data.images.folder_layout import File, find_layout
from cnnctl.data.images.folder_split import split_rule
from cnnctl.data.images.image_reader import ImageReader
from cnnctl.data.images.open_image import LARGEST
from cnnctl.data.named.download import Progress
from cnnctl.errors import DataError

if TYPE_CHECKING:
    import numpy as np


def load_image_folder(
    folder: Path,
    *,
    image_size: tuple[int, int] | None = None,
    color_mode: str = "rgb",
    resize: bool = False,
    split: Sequence[float] | None = None,
    split_seed: int = 0,
    holds_out: bool = False,
    on_error: str = "error",
    progress: Progress | None = None,
) -> Dataset:
    """Read a folder of images; the classes are the folders that hold them, in sorted order.

    The folder has `train/<class>/…`, and `validation/` and `test/` in their usual spellings, or
    `<class>/…` alone, which is split by a rule: see `cnnctl.data.images.folder_layout`.

    Images come sorted by name within their class, subfolders included, and classes alternate: any
    stretch of them, such as one held out for validation, has about as large a part of every class.

    Hidden files are ignored; other files that are not read are named in notes. Colours
    are converted to `color_mode`; images are turned as their EXIF data says, and laid on white
    where they are transparent.

    Every image is decoded once. Images that take more than a quarter of the free memory are
    held on the disk and only mapped; where decoding takes long, a decoded copy is kept for the next
    time (`decoded_folder` of `cnnctl.data.named.places`). Notes say which.

    Args:
        folder: The folder.
        image_size: (height, width); None for the size that all images have.
        color_mode: `rgb` (3 channels) or `grayscale` (1 channel).
        resize: Resize every image to `image_size` (bilinear, antialiased; the aspect ratio is
            not kept).
        split: Parts of each class for training, validation and test where the folder has no
            split folders, as fractions or percentages; None for 80, 10 and 10%.
        split_seed: The same seed and file names give the same splits.
        holds_out: Whether some of the training images will be held out for validation: then 90, 0
            and 10% are the default.
        on_error: `error` names all images that cannot be read, `skip` leaves them out.
        progress: Told how many images are read.

    Returns:
        Images uint8 (uint16 if all have 16 bits per channel) `(images, height, width,
        channels)`, in memory or in a mapped file.

    Raises:
        DataError: The folder is laid out in no known way (`find_layout`), an image cannot be read
            or is too large, sizes or depths differ, or there is room for the images neither in
            memory nor on the disk.
    """
    if color_mode not in ("rgb", "grayscale"):
        raise DataError(f"color_mode is rgb or grayscale. Received: {color_mode}")
    if resize and image_size is None:
        raise DataError("`resize: true` needs `image_size: [height, width]`")
    if image_size and (min(image_size) < 1 or image_size[0] * image_size[1] > LARGEST):
        raise DataError(f"image_size is [height, width] in pixels. Received: {list(image_size)}")
    layout = find_layout(folder, split_rule(split, split_seed, holds_out=holds_out))
    wanted = Format(image_size, {"rgb": "RGB", "grayscale": "L"}[color_mode], resize)
    splits: dict[str, Split] = {}
    reader = ImageReader(progress, skip=on_error == "skip")
    for name, files in layout.splits.items():
        paths = [path for path, _ in files]
        own = layout.folders.get(name)
        found = reader.read(name, own or folder, paths, wanted, part="" if own else name)
        if found is None:
            continue  # the damaged images of the other splits are named as well
        splits[name] = Split(found.x, _labels(files)[found.kept])
        if wanted.bits is None:
            height, width = found.x.shape[1:3]
            wanted = replace(wanted, size=(height, width), bits=8 * found.x.itemsize,
                             model=paths[found.kept[0]])  # fmt: skip
    reader.refuse_damaged()
    return make_dataset(
        folder.name if folder.name.strip(".") else folder.resolve().name,
        str(folder),
        splits["train"],
        validation=splits.get("validation"),
        test=splits.get("test"),
        class_names=layout.class_names,
        notes=(*layout.notes, *reader.notes),
        layout=layout.to_dict(),
        skipped=tuple((each.path, each.reason) for each in reader.damaged),
    )


def _labels(files: list[File]) -> np.ndarray:
    import numpy as np

    return np.array([label for _, label in files], np.int64)
