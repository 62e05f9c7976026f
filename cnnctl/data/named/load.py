"""The named data sets: found on this machine, or downloaded, or (MNIST only) sampled."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from cnnctl.data.dataset import Dataset, Split, make_dataset
from cnnctl.data.named.download import Progress, UnreachableError, download, file_sha256
from cnnctl.data.named.places import Found, Place, find, keras_datasets_folder, pickled_copy, places
from cnnctl.data.named.published_files import is_published, read_cifar, read_idx
from cnnctl.data.named.sample import load_sample, sample_file
from cnnctl.data.named.sources import Source
from cnnctl.data.npz import read_npz, splits_of
from cnnctl.errors import DataError

ALTERED = "altered copy"
"""What a named data set is marked with if its images are not the published ones."""


@dataclass(frozen=True, slots=True)
class Fetched:
    """What a fetch came to.

    Args:
        found: Where the data lies now.
        downloaded: Whether it was downloaded; otherwise it was here and has been verified.
        published: Whether it is exactly what was published; None if that cannot be told.
    """

    found: Found
    downloaded: bool
    published: bool | None


def load_named(
    source: Source,
    *,
    label: str = "fine",
    data_dir: Path | None = None,
    full_data: bool = False,
    progress: Progress | None = None,
) -> Dataset:
    """Load a named data set, downloading it if it is not here.

    Args:
        source: The data set.
        label: CIFAR-100's labels: `fine` (100 classes) or `coarse` (20 superclasses).
        data_dir: Where to look first.
        full_data: Never take the sample of MNIST.
        progress: Told about downloads.

    Raises:
        DataError: It is not here and cannot be downloaded, or what is here is damaged.
    """
    found = find(source, data_dir)
    if found is None:
        try:
            found = _download(source, keras_datasets_folder(), progress)
        except UnreachableError as error:
            if source.name == "mnist" and not full_data and sample_file() is not None:
                return load_sample()
            raise _not_here(source, data_dir, full_data, error) from error
    return _read(source, found, label)


def fetch(
    source: Source, *, data_dir: Path | None = None, progress: Progress | None = None
) -> Fetched:
    """See to it that a named data set is here, whole.

    Args:
        source: The data set.
        data_dir: Where to look first, and where to put a download; Keras's cache otherwise.
        progress: Told about the download.

    Raises:
        DataError: It cannot be downloaded, or what is here is damaged.
    """
    found = find(source, data_dir)
    if found is None:
        folder = data_dir or keras_datasets_folder()
        try:
            return Fetched(_download(source, folder, progress, data_dir), True, True)
        except UnreachableError as error:
            raise _not_here(source, data_dir, True, error) from error
    sums = [{file.sha256, *file.equivalents} for file in source.files]
    if len(found.paths) == len(sums) and all(
        file_sha256(path) in known for path, known in zip(found.paths, sums, strict=True)
    ):
        return Fetched(found, False, True)
    dataset = _read(source, found, "fine")
    assert dataset.test is not None
    return Fetched(found, False, is_published(source, dataset.train, dataset.test))


def _download(
    source: Source, folder: Path, progress: Progress | None, data_dir: Path | None = None
) -> Found:
    paths = tuple(
        folder / file.path
        if (folder / file.path).is_file() and file_sha256(folder / file.path) == file.sha256
        else download(file, folder, progress=progress)
        for file in source.files
    )
    place = Place("Keras's cache" if data_dir is None else "--data-dir", folder)
    return Found(place, source.layout, paths)


def _read(source: Source, found: Found, label: str) -> Dataset:
    coarse = label == "coarse"
    readers: dict[str, Callable[[], tuple[Split, Split]]] = {
        "npz": lambda: _read_npz(source, found.paths[0], coarse),
        "idx": lambda: read_idx(source, found.paths),
        "cifar": lambda: read_cifar(source, found.paths[0], coarse=coarse),
    }
    train, test = readers[found.layout]()
    name, notes = source.name, list[str]()
    if is_published(source, train, test) is False:
        name = f"{source.name} ({ALTERED})"
        notes.append(
            f"{found.paths[0]} is not {source.name} as it was published: its pictures, labels or "
            "their order differ. Figures may differ from published ones."
        )
    return make_dataset(
        name,
        str(found.paths[0] if len(found.paths) == 1 else found.paths[0].parent),
        train,
        test=test,
        class_names=source.coarse_names if coarse else source.class_names,
        notes=tuple(notes),
    )


def _read_npz(source: Source, path: Path, coarse: bool) -> tuple[Split, Split]:
    """Read a copy in Keras's layout; the arrays must be of the published kind and number."""
    if coarse:
        raise DataError(
            f"{path} has one kind of label; for `label: coarse` the published archive is needed",
            hint=f"put {source.files[0].path} into the same folder ({source.files[0].url})",
        )
    arrays, _ = read_npz(path, {"x_train", "y_train", "x_test", "y_test"})
    splits = splits_of(arrays, path)
    if "test" not in splits:
        raise DataError(f"{path} is not {source.name}: it has no test pictures")
    train: Split = splits["train"]
    test: Split = splits["test"]
    for name, split, count in (("train", train, source.train), ("test", test, source.test)):
        expected = (count, *source.shape)
        if split.x.shape != expected or split.x.dtype != "uint8":
            raise DataError(
                f"{path} is not {source.name}: x_{name} is {arrays[f'x_{name}'].dtype.name} "
                f"{split.x.shape}, "
                f"expected uint8 {expected}",
                hint="for data of your own write `dataset: {npz: {path: …}}`",
            )
        if split.y.shape != (count,) or split.y.dtype != "int64":
            raise DataError(
                f"{path} is not {source.name}: y_{name} is {arrays[f'y_{name}'].dtype.name} "
                f"{split.y.shape}, "
                f"expected {count:,} class numbers"
            )
    return train, test


def _not_here(
    source: Source, data_dir: Path | None, full_data: bool, error: UnreachableError
) -> DataError:
    looked = "\n".join(f"  {place}" for place in places(data_dir))
    published = " + ".join(file.path for file in source.files)
    wanted = " or ".join(dict.fromkeys((published, source.npz)))
    lines = [
        f"looked in\n{looked}",
        f"get it where there is a network (`cnnctl data fetch {source.name} --data-dir FOLDER`), "
        f"then name the folder that has {wanted}: --data-dir FOLDER",
    ]
    if source.name == "mnist" and not full_data:
        lines.append("or train on a sample of 5,000 pictures: pip install 'cnnctl[sample]'")
    elif source.name == "mnist" and sample_file() is not None:
        lines.append("training takes a sample of 5,000 pictures, unless --full-data forbids it")
    if (pickled := pickled_copy(source)) is not None:
        lines.append(
            f"{pickled} is Keras's copy, a pickle, which cnnctl does not open since that can run "
            f'code; write it as arrays: python -c "import keras, numpy as np; '
            f"(a, b), (c, d) = keras.datasets.{source.name}.load_data(); "
            f"np.savez('{source.npz}', x_train=a, y_train=b, x_test=c, y_test=d)\""
        )
    return DataError(
        f"{source.name} is not on this machine, and {error.message}", hint="\n".join(lines)
    )
