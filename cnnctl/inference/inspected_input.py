"""The input that is inspected: a file, nested lists, an array, or an image of the data set."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from cnnctl.arithmetic.shapes import same_but_for_ones
from cnnctl.compute.device import start_device
from cnnctl.errors import UsageError
from cnnctl.specs import Spec


def model_and_input(
    source: Path | Spec,
    given: str | np.ndarray | None,
    checkpoint: str | None,
    data_dir: Path | None,
    device: str,
) -> tuple[Spec, Any, np.ndarray, tuple[str, ...], str]:
    """The spec, the network, its input, what was done to it, and a name."""
    if isinstance(source, Spec):
        from cnnctl.preflight import input_shape

        spec, shape = source, input_shape(source)
        image, steps = _image(spec, given, shape, None, data_dir)
        start_device(device, spec.seed, deterministic=spec.deterministic)
        from cnnctl.network.build import build

        return spec, build(spec, image.shape), image, steps, spec.name
    from cnnctl.inference.find_trained import find
    from cnnctl.inference.image_style import input_of

    trained = find(source, checkpoint=checkpoint)
    shape, scale = input_of(trained, data_dir)
    image, steps = _image(trained.spec, given, shape, scale, data_dir, trained.pixels)
    loaded = trained.load(trained.shaped(shape), 1, device)
    return trained.spec, loaded.model, image, steps, str(trained.source)


def _image(
    spec: Spec,
    given: Any,
    shape: tuple[int, ...] | None,
    scale: Any,
    data_dir: Path | None,
    pixels: Any = None,
) -> tuple[np.ndarray, tuple[str, ...]]:
    """The network's input, float32, and what was done to it."""
    if isinstance(given, np.ndarray) or (isinstance(given, str) and given.lstrip()[:1] == "["):
        array = given if isinstance(given, np.ndarray) else _lists(given)
        return _shaped(array, shape), ()
    inline = spec.data is not None and spec.data.dataset.name == "inline"
    if given is None and not inline:
        raise UsageError(
            "--input is missing: a picture file, nested lists, or the number of a picture",
            hint="such as --input '[[0, 1], [2, 3]]'",
        )
    if given is None or given.isdecimal():
        from cnnctl.data.preparation import prepare

        data = prepare(spec, data_dir=data_dir, fixed=scale, recorded=True)
        split = data.dataset.test or data.dataset.train
        index = int(given or 0)
        if index >= len(split):
            raise UsageError(f"there is no picture {index}: there are {len(split):,}")
        name = "test" if data.dataset.test else "train"
        told = (f"{name} picture {index} of {data.dataset.name}",) if given else ()
        return data.normalization.apply(np.asarray(split.x[index : index + 1]))[0], told
    from cnnctl.data.pixel_normalization import without_images
    from cnnctl.inference.image_style import look_of
    from cnnctl.inference.images import read

    if shape is None:
        raise UsageError("the spec has no input_shape, so a file cannot be fitted to it")
    if scale is None:
        scale = without_images(spec.data.normalize if spec.data else "unit")
    if scale is None:
        from cnnctl.data.preparation import prepare

        scale = prepare(spec, data_dir=data_dir, recorded=True).normalization
    found = next(iter(read([given], look_of(spec, tuple(shape), scale, pixels))))
    steps = (*found.steps, f"normalize: {scale.kind}")
    return scale.apply(found.x[None])[0], steps


def _lists(text: str) -> np.ndarray:
    """Nested lists in JSON as an array.

    Raises:
        UsageError: They are ragged, or hold what is no number.
    """
    import json

    try:
        array = np.array(json.loads(text), dtype=np.float32)
    except (ValueError, TypeError, RecursionError, OverflowError) as error:
        raise UsageError(f"--input holds no nested lists of numbers: {error}") from error
    if array.size == 0 or not np.isfinite(array).all():
        raise UsageError("--input holds no numbers, or ones that are not finite")
    return array


def _shaped(array: np.ndarray, shape: tuple[int, ...] | None) -> np.ndarray:
    array = array.astype(np.float32)
    if shape is None:
        return array[..., None] if array.ndim == 2 else array
    if array.shape == tuple(shape):
        return array
    if same_but_for_ones(array.shape, shape):
        return array.reshape(shape)
    came, wanted = ("×".join(map(str, each)) for each in (array.shape, shape))
    raise UsageError(f"the input is {came}, and the network takes {wanted}")
