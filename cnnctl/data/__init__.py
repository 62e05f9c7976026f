"""Data: where images come from, and whether they fit.

    named/, images/            the named data sets; folders of images
    npz.py, inline.py          arrays in a file or in the spec
    xo.py, registered.py       data that is made, by cnnctl or by a plug-in
    dataset.py, split.py       what a data set is; validation images are held out
    fitting.py, labels.py      whether it fits a network
    remarks.py, class_notes.py what is worth knowing
    static_checks.py           what can be said before anything is loaded
    pixel_normalization.py     how pixels become inputs
    preparation.py             all of this for a spec
    inventory.py               what `cnnctl data` tells
    open_dataset.py            a data set by its name or path

Nothing here needs TensorFlow or Keras, and importing this module does not import NumPy.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from cnnctl.catalog import load as load_catalog
from cnnctl.data.dataset import Dataset, Split
from cnnctl.data.fitting import fit_to
from cnnctl.data.named.sources import MADE, SOURCES
from cnnctl.data.pixel_normalization import Normalization, normalization
from cnnctl.data.split import hold_out
from cnnctl.errors import DataError

__all__ = [
    "Dataset",
    "Normalization",
    "Split",
    "fit_to",
    "hold_out",
    "load",
    "normalization",
]


def load(
    name: str,
    arguments: dict[str, Any] | None = None,
    *,
    base: Path,
    data_dir: Path | None = None,
    full_data: bool = False,
    holds_out: bool = False,
    progress: Callable[[str, int, int | None], None] | None = None,
) -> Dataset:
    """Load a data set by the name and arguments that a spec has.

    Args:
        name: `mnist`, `fashion_mnist`, `cifar10`, `cifar100`, `npz`, `image_folder`, `inline` or
            `xo`, or a plug-in's.
        arguments: Those of the spec, their types checked.
        base: The folder of the spec; relative paths in it start there.
        data_dir: Where named data sets are looked for first.
        full_data: Never take the 5,000-image sample of MNIST.
        holds_out: Whether some of the training images will be held out for validation.
        progress: Called as (what, done, in all or None) by downloads and when reading folders.

    Returns:
        The data set, as stored.

    Raises:
        DataError: It cannot be found or made, or it is damaged.
    """
    options = {key: value for key, value in (arguments or {}).items() if value is not None}
    if name in SOURCES:
        from cnnctl.data.named.load import load_named

        return load_named(
            SOURCES[name], data_dir=data_dir, full_data=full_data, progress=progress, **options
        )
    if name == "npz":
        from cnnctl.data.npz import load_npz

        return load_npz(_path(options, base))
    if name == "image_folder":
        from cnnctl.data.images.folder import load_image_folder

        size = options.pop("image_size", None)
        return load_image_folder(
            _path(options, base),
            image_size=(size[0], size[1]) if size else None,
            holds_out=holds_out,
            progress=progress,
            **{key: value for key, value in options.items() if key != "path"},
        )
    if name == "inline":
        from cnnctl.data.inline import load_inline

        return load_inline(**options)
    if name == "xo":
        from cnnctl.data.xo import load_xo

        return load_xo(**options)
    if load_catalog().of_plugin("dataset", name):
        from cnnctl.data.registered import load_registered

        return load_registered(name, arguments or {}, base)
    known = ", ".join([*SOURCES, *MADE])
    raise DataError(f"unknown data set `{name}`", hint=f"there are {known}")


def _path(options: dict[str, Any], base: Path) -> Path:
    if "path" not in options:
        raise DataError("`path` is missing")
    try:
        return base / Path(options["path"]).expanduser()
    except RuntimeError as error:  # `~name` of nobody
        raise DataError(f"{options['path']}: {error}") from error
