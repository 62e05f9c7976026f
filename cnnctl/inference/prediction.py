"""What a trained network predicts: for users' files, or for a split of its data set."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from cnnctl.data.dataset import Split
from cnnctl.data.images.damaged_images import unreadable
from cnnctl.data.images.formats import looking
from cnnctl.data.names import SPLITS, canonical
from cnnctl.data.pixel_normalization import Normalization
from cnnctl.data.preparation import Prepared
from cnnctl.errors import DataError
from cnnctl.inference.find_trained import find
from cnnctl.inference.image_style import input_of, look_of
from cnnctl.inference.images import Failure, Incoming, read
from cnnctl.inference.predictions import Predictions, per_class
from cnnctl.inference.trained import Loaded, Trained
from cnnctl.io.arguments import AnyPath, as_choice, as_flag, as_paths
from cnnctl.io.text import some, was
from cnnctl.specs import AnySpec

if TYPE_CHECKING:
    import numpy as np


def predict(
    source: AnyPath,
    files: AnyPath | Sequence[AnyPath],
    *,
    spec: AnySpec | None = None,
    checkpoint: str | int | None = None,
    invert: bool | None = None,
    centre: bool | None = None,
    data_dir: AnyPath | None = None,
    device: str = "auto",
) -> Predictions:
    """Let a trained network look at files.

    Args:
        source: A run folder, a checkpoint folder in it, a `.keras` or a `.weights.h5` file.
        files: One or several image or `.npy` files, folders of them, `-` for standard input. Those
            that cannot be read are named in `failures`.
        spec: The network of a file that is in no run folder.
        checkpoint: `best` (default), `last` or `epoch-0003`, where `source` is a run.
        invert, centre: Whether images are inverted, and cut out and centred; None does what makes
            them like those that the network was trained on.
        data_dir: Where data sets are looked for first, if one is needed.
        device: As in `cnnctl.train`.

    Raises:
        UsageError: There is no such run or file.
        DataError: No file is an image of a shape that the network takes.
        CheckpointError: The weights are damaged or not this network's.
    """
    import numpy as np

    for name, flag in {"invert": invert, "centre": centre}.items():
        if flag is not None:
            as_flag(flag, name)
    named = [str(each) for each in as_paths(files, "files")]
    trained = find(source, spec=spec, checkpoint=checkpoint)
    shape, scale = input_of(trained, data_dir)
    look = look_of(trained.spec, shape, scale, trained.pixels)
    failures: list[Failure] = []
    unread: list[str] = []
    images = list(read(named, look, invert=invert, centre=centre, failures=failures, unread=unread))
    if not images:
        raise refusal(failures)
    uniform = all(each.x.dtype == np.uint8 for each in images)
    x = np.stack([each.x for each in images]).astype(np.uint8 if uniform else np.float32)
    loaded = trained.load(trained.shaped(shape), len(x), device)
    found = of_images(trained, loaded, x, scale)
    left = (f"{looking(unread)} {was(len(unread))} not read: {some(unread)}",) if unread else ()
    return replace(
        found,
        notes=(*found.notes, *left),
        names=tuple(each.name for each in images),
        steps=tuple(each.steps for each in images),
        truth=_folders(images, found.class_names),
        failures=tuple(failures),
    )


def refusal(failures: Sequence[Failure]) -> DataError:
    """The error that names every file that could not be read."""
    if len(failures) == 1:
        return failures[0].error
    what = f"{len(failures):,} files could not be read"
    return unreadable("unreadable-files", what, [each.error.message for each in failures])


def predict_split(
    source: AnyPath,
    split: str = "test",
    *,
    spec: AnySpec | None = None,
    checkpoint: str | int | None = None,
    data_dir: AnyPath | None = None,
    full_data: bool = False,
    device: str = "auto",
) -> Predictions:
    """Let a trained network look at a split of its data set.

    Args:
        source, spec, checkpoint, data_dir, device: As in `predict`.
        split: `test`, `validation` or `train`.
        full_data: Never take the 5,000-image sample of MNIST.

    Raises:
        As `predict`.
    """
    as_choice(split, "split", SPLITS)
    trained = find(source, spec=spec, checkpoint=checkpoint)
    data = trained.prepare(data_dir=data_dir, full_data=full_data)
    loaded = trained.load(data.checked, len(data.dataset.split(split)), device)
    return of_split(trained, loaded, data, split)


def of_split(trained: Trained, loaded: Loaded, data: Prepared, split: str) -> Predictions:
    """What a network predicts for a split of its data.

    Raises:
        DataError: There is no such split.
    """
    chosen = data.dataset.split(split)
    found = of_images(trained, loaded, chosen.x, data.normalization, data.dataset.class_names)
    return replace(found, truth=chosen.y, data=f"{data.dataset.name}, {split}")


def of_images(
    trained: Trained,
    loaded: Loaded,
    x: np.ndarray,
    scale: Normalization,
    class_names: tuple[str, ...] = (),
) -> Predictions:
    """What a network predicts for images as stored, (images, …).

    Args:
        trained, loaded: The network.
        x: The images.
        scale: How they are normalized.
        class_names: By class; those that are recorded, or numbers, by default.
    """
    import numpy as np

    outputs = run(loaded, x, scale)
    outputs = outputs.reshape(len(outputs), -1)
    spec, notes, sums = trained.spec, list(loaded.notes), False
    if spec.data is not None and spec.data.label_mode == "float":
        class_names = ()
    else:
        outputs, note = per_class(spec, outputs)
        notes += [note] if note else []
        count = outputs.shape[1]
        class_names = class_names if len(class_names) == count else trained.class_names(count)
        sums = bool(np.allclose(outputs.sum(1), 1, atol=1e-3) and (outputs >= 0).all())
    return Predictions(
        tuple(map(str, range(len(x)))),
        x,
        outputs,
        class_names,
        are_probabilities=sums,
        checkpoint=loaded.checkpoint,
        notes=tuple(notes),
    )


def run(loaded: Loaded, x: np.ndarray, scale: Normalization) -> np.ndarray:
    """The network's outputs, (images, …) float32, for images as stored."""
    import numpy as np

    from cnnctl.compute import steps
    from cnnctl.compute.feed import Feed

    feed = Feed(Split(x, np.zeros(len(x), np.int64)), scale)
    loaded.model.jit_compile = False
    found = steps.predict_function(loaded.model, feed, loaded.plan.parts_of_evaluation)()
    return found.astype(np.float32)


def _folders(images: Sequence[Incoming], class_names: tuple[str, ...]) -> np.ndarray | None:
    """The true classes, where every image lies in a folder that is named like one, or below it."""
    import numpy as np

    numbers = {name: number for number, name in enumerate(class_names)}
    found = []
    for each in images:
        # The innermost folder counts: of `cat/dog/1.png` it is the dog's.
        parts = reversed(canonical(each.folder or "").split("/"))
        number = next((numbers[part] for part in parts if part in numbers), None)
        if number is None:
            return None
        found.append(number)
    return np.array(found, np.int64)
