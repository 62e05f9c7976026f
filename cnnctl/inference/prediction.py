"""What a trained network makes of pictures: of files that somebody brings, or of its data set."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from cnnctl.data.class_names import canonical
from cnnctl.data.dataset import Split
from cnnctl.data.images.image_reader import NAMED
from cnnctl.data.named.sources import SOURCES
from cnnctl.data.pixel_normalization import Normalization, without_pictures
from cnnctl.data.pixels import BYTES, Range
from cnnctl.data.preparation import Prepared
from cnnctl.data.split_names import SPLITS
from cnnctl.data.wording import looking, some, were
from cnnctl.errors import DataError, Diagnostic, UsageError
from cnnctl.inference.image_style import Look
from cnnctl.inference.images import Failure, Incoming, read
from cnnctl.inference.trained import Loaded, Trained, find
from cnnctl.io.arguments import AnyPath, as_choice, as_flag, as_paths
from cnnctl.specs import AnySpec, Component, Spec
from cnnctl.specs.loss_rules import HINGES

if TYPE_CHECKING:
    import numpy as np

LIGHT_ON_DARK = frozenset({"fashion_mnist", "mnist", "xo"})
CENTRED = frozenset({"mnist"})


@dataclass(frozen=True, eq=False)
class Predictions:
    """The outputs of a network for some pictures.

    Args:
        names: Of the pictures, for people.
        x: The pictures as stored, (pictures, …), before they were normalized.
        outputs: (pictures, classes): probabilities where `are_probabilities`, else the network's
            own numbers; (pictures, values) where it puts out numbers and no classes.
        class_names: By class; empty where the network puts out numbers.
        are_probabilities: Whether each row adds up to 1.
        truth: (pictures,) class numbers, or (pictures, values); None where it is not known.
        steps: What was done to each picture to make it the network's input.
        checkpoint: The checkpoint that was taken, where it is one of a run.
        data: The data set's name, where the pictures are of one.
        notes: What is worth knowing: how the network's outputs were read, say.
        failures: The files that could not be read; the others are here.
    """

    names: tuple[str, ...]
    x: np.ndarray
    outputs: np.ndarray
    class_names: tuple[str, ...]
    are_probabilities: bool
    truth: np.ndarray | None = None
    steps: tuple[tuple[str, ...], ...] = ()
    checkpoint: str | None = None
    data: str = ""
    notes: tuple[str, ...] = ()
    failures: tuple[Failure, ...] = ()

    @property
    def classes(self) -> np.ndarray:
        """The class with the largest output, (pictures,)."""
        found: np.ndarray = self.outputs.argmax(1)
        return found

    def top(self, index: int, count: int) -> list[tuple[str, float]]:
        """The classes with the largest outputs for one picture, the largest first."""
        row = self.outputs[index]
        order = sorted(range(len(row)), key=lambda number: (-row[number], number))
        return [(self.class_names[number], float(row[number])) for number in order[:count]]

    def some(self, indices: Sequence[int]) -> Predictions:
        """Those of some of the pictures."""
        chosen = list(indices)
        return replace(
            self,
            names=tuple(self.names[index] for index in chosen),
            x=self.x[chosen],
            outputs=self.outputs[chosen],
            truth=None if self.truth is None else self.truth[chosen],
            steps=tuple(self.steps[index] for index in chosen) if self.steps else (),
        )

    @property
    def accuracy(self) -> float | None:
        """The part of the pictures whose class is found; None where that is not known."""
        if self.truth is None or not self.class_names or len(self.truth) == 0:
            return None
        return float((self.classes == self.truth).mean())

    def summary(self) -> str:
        """In one line: how many pictures of what, and how many of them are taken for the right
        class."""
        line = f"{len(self.x):,} pictures of {self.data}"
        if self.accuracy is not None and self.truth is not None:
            right = int((self.classes == self.truth).sum())
            line += f": {right:,} right, {len(self.x) - right:,} wrong ({self.accuracy:.4f})"
        return line

    def worst(self, count: int) -> list[int]:
        """The pictures that the network is most wrong about: those whose true class it gives the
        least, of those it gets wrong; the worst first.

        Raises:
            UsageError: What they show is not known.
        """
        import numpy as np

        if self.truth is None or not self.class_names:
            raise UsageError("which mistakes are the worst is not known without the true classes")
        own = self.outputs[np.arange(len(self.outputs)), self.truth]
        wrong = np.flatnonzero(self.classes != self.truth)
        order: list[int] = wrong[np.argsort(own[wrong], kind="stable")][:count].tolist()
        return order


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
        invert, centre: Whether pictures are inverted, and cut out and centred; None does what makes
            them like those that the network was trained on.
        data_dir: Where data sets are looked for first, if one is needed.
        device: As in `cnnctl.training.train`.

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
    pictures = list(
        read(named, look, invert=invert, centre=centre, failures=failures, unread=unread)
    )
    if not pictures:
        raise refusal(failures)
    uniform = all(each.x.dtype == np.uint8 for each in pictures)
    x = np.stack([each.x for each in pictures]).astype(np.uint8 if uniform else np.float32)
    loaded = trained.load(trained.shaped(shape), len(x), device)
    found = of_pictures(trained, loaded, x, scale)
    left = (f"{looking(unread)} {were(len(unread))} not read: {some(unread)}",) if unread else ()
    return replace(
        found,
        notes=(*found.notes, *left),
        names=tuple(each.name for each in pictures),
        steps=tuple(each.steps for each in pictures),
        truth=_folders(pictures, found.class_names),
        failures=tuple(failures),
    )


def refusal(failures: Sequence[Failure]) -> DataError:
    """The error that names every file that could not be read."""
    if len(failures) == 1:
        return failures[0].error
    what = f"{len(failures):,} files could not be read"
    lines = [each.error.message for each in failures[:NAMED]]
    if len(failures) > NAMED:
        lines.append(f"and {len(failures) - NAMED:,} more")
    listed = Diagnostic("unreadable-files", what, notes=tuple(lines))
    return DataError(f"{what}, first {lines[0]}", diagnostics=[listed])


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
    """What a network makes of a split of its data.

    Raises:
        DataError: There is no such split.
    """
    chosen = data.dataset.split(split)
    found = of_pictures(trained, loaded, chosen.x, data.normalization, data.dataset.class_names)
    return replace(found, truth=chosen.y, data=f"{data.dataset.name}, {split}")


def of_pictures(
    trained: Trained,
    loaded: Loaded,
    x: np.ndarray,
    scale: Normalization,
    class_names: tuple[str, ...] = (),
) -> Predictions:
    """What a network makes of pictures as stored, (pictures, …).

    Args:
        trained, loaded: The network.
        x: The pictures.
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
    """The network's outputs, (pictures, …) float32, for pictures as stored."""
    import numpy as np

    from cnnctl.compute import steps
    from cnnctl.compute.feed import Feed

    feed = Feed(Split(x, np.zeros(len(x), np.int64)), scale)
    loaded.model.jit_compile = False
    found = steps.predict_function(loaded.model, feed, loaded.plan.parts_of_evaluation)()
    return found.astype(np.float32)


def input_of(trained: Trained, data_dir: AnyPath | None) -> tuple[tuple[int, ...], Normalization]:
    """The shape of one picture and its normalization, from the data set only where nothing else
    tells them.

    Raises:
        DataError: They are nowhere else, and the data set cannot be found.
    """
    spec = trained.spec
    kind = spec.data.normalize if spec.data else "none"
    shape, scale = spec.model.input_shape, trained.normalization or without_pictures(kind)
    if shape is None or scale is None:
        data = trained.prepare(data_dir=data_dir)
        return data.input_shape, trained.normalization or data.normalization
    if trained.normalization is None and kind in ("unit", "signed") and _may_be_deep(spec):
        with suppress(DataError):  # without the data, images have 8 bits
            scale = trained.prepare(data_dir=data_dir).normalization
    return tuple(shape), scale


def _may_be_deep(spec: Spec) -> bool:
    """Whether the range of the pixels is a matter of the files that a spec names."""
    return spec.data is not None and spec.data.dataset.name not in {*SOURCES, "xo"}


def look_of(
    spec: Spec, shape: tuple[int, ...], scale: Normalization, pixels: Range | None = None
) -> Look:
    """How the pictures look that the network of a spec is trained on.

    Args:
        spec: Of the network.
        shape: Of one picture.
        scale: How it is normalized.
        pixels: The range that a run recorded; None where none did.
    """
    name = spec.data.dataset.name if spec.data else ""
    if name in SOURCES or name == "image_folder" or scale.kind in ("unit", "signed"):
        pixels = pixels or BYTES
    return Look(
        shape,
        pixels=pixels,
        dark=True if name in LIGHT_ON_DARK else None,
        centred=name in CENTRED,
    )


def per_class(spec: Spec, outputs: np.ndarray) -> tuple[np.ndarray, str | None]:
    """One number for each class, of which the largest says which it is: a network with one output
    knows two, and logits become probabilities. What hinge trains is class 1 above 0, not 0.5."""
    import numpy as np

    loss = spec.compile.loss if spec.compile else None
    logits = bool(loss and loss.arguments.get("from_logits"))
    binary = bool(loss and _is_binary(loss))
    note = None
    if logits:
        values = outputs.astype(np.float64)
        if binary or outputs.shape[1] == 1:
            outputs, note = 1 / (1 + np.exp(-values)), "sigmoid of the network's logits"
        else:
            powers = np.exp(values - values.max(1, keepdims=True))
            outputs, note = powers / powers.sum(1, keepdims=True), "softmax of the network's logits"
    if outputs.shape[1] == 1:
        other = -outputs if loss and loss.name in HINGES else 1 - outputs
        outputs = np.concatenate([other, outputs], 1)
    return outputs, note


def _is_binary(loss: Component) -> bool:
    return loss.name in {"BinaryCrossentropy", "BinaryFocalCrossentropy"}


def _folders(pictures: Sequence[Incoming], class_names: tuple[str, ...]) -> np.ndarray | None:
    """The true classes, where every image lies in a folder that is named like one, or below it."""
    import numpy as np

    numbers = {name: number for number, name in enumerate(class_names)}
    found = []
    for each in pictures:
        # The innermost folder counts: of `cat/dog/1.png` it is the dog's.
        parts = reversed(canonical(each.folder or "").split("/"))
        number = next((numbers[part] for part in parts if part in numbers), None)
        if number is None:
            return None
        found.append(number)
    return np.array(found, np.int64)
