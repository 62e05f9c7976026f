"""The data sets that a spec may name, and their arguments."""

from __future__ import annotations

from typing import Any

from cnnctl.catalog.entry import Argument, Entry
from cnnctl.catalog.schemas import BOOLEAN, STRING, array, choice, either, integer, number, optional


def numbers(depth: int) -> dict[str, Any]:
    """Numbers in lists nested at most `depth` deep; that they are not ragged is seen at loading."""
    return either(number(), array(numbers(depth - 1))) if depth else number()


_IMAGES = array(numbers(3), minimum=1)
_TARGETS = array(numbers(3), minimum=1)
_PIXELS = number(0)


def _entry(name: str, summary: str, *arguments: Argument) -> Entry:
    return Entry("dataset", name, summary=summary, arguments=arguments, source="cnnctl")


def _setting(name: str, schema: dict[str, Any], doc: str, default: Any = None) -> Argument:
    return Argument(name, schema, default=default, doc=doc)


DATASETS = (
    _entry("mnist", "Handwritten digits: 60,000 and 10,000 grey pictures of 28x28, 10 classes."),
    _entry("fashion_mnist", "Clothes: 60,000 and 10,000 grey pictures of 28x28, 10 classes."),
    _entry("cifar10", "Small photographs: 50,000 and 10,000 in colour, 32x32, 10 classes."),
    _entry(
        "cifar100",
        "Small photographs: 50,000 and 10,000 in colour, 32x32, 100 classes.",
        _setting("label", choice("fine", "coarse"), "100 fine classes, or 20 coarse ones.", "fine"),
    ),
    _entry(
        "npz",
        "Arrays of one's own in a NumPy file: x_train, y_train, and x_test, y_test if it has them.",
        Argument("path", STRING, required=True, doc="The .npz file; relative to the spec's."),
    ),
    _entry(
        "image_folder",
        "Images of your own in folders, one per class, with or without train/, val/ and test/.",
        Argument("path", STRING, required=True, doc="The folder; relative to the spec's file."),
        _setting(
            "image_size",
            optional(array(integer(1), 2)),
            "Height and width in pixels; null: that of the pictures, which must all agree.",
        ),
        _setting("color_mode", choice("rgb", "grayscale"), "Three channels, or one.", "rgb"),
        _setting("resize", BOOLEAN, "Whether pictures of another size are resized.", False),
        _setting(
            "split",
            optional(array(number(0), 3)),
            "Parts for training, validation and test of a folder without train/; null: 0.8, 0.1, "
            "0.1, or 0.9, 0, 0.1 where `data.validation` holds out training images.",
        ),
        _setting("split_seed", integer(0), "The same seed and file names give the same splits.", 0),
        _setting(
            "on_error",
            choice("error", "skip"),
            "Images that cannot be read: all are named and nothing is trained, or they are left "
            "out and recorded.",
            "error",
        ),
    ),
    _entry(
        "inline",
        "A few pictures written into the spec itself.",
        Argument(
            "x_train", _IMAGES, required=True, doc="The pictures: rows of pixels (of channels)."
        ),
        Argument("y_train", _TARGETS, required=True, doc="Classes from 0, or target numbers."),
        _setting("x_test", optional(_IMAGES), "Pictures to test with."),
        _setting("y_test", optional(_TARGETS), "Their classes, or target numbers."),
        _setting("class_names", optional(array(STRING, minimum=1)), "The classes' names."),
    ),
    _entry(
        "xo",
        "Drawn crosses and circles, as many as wanted: a data set that needs no download.",
        _setting("count", integer(1), "Pictures to train with.", 1000),
        _setting("test_count", integer(0), "Pictures to test with.", 200),
        _setting("seed", integer(0), "The same seed draws the same pictures.", 0),
        _setting("translate", _PIXELS, "Largest shift in each direction, in pixels.", 0),
        _setting("scale", number(0, 0.9), "Largest change of size, as a fraction.", 0),
        _setting("rotate", number(0, 180), "Largest turn either way, in degrees.", 0),
        _setting("weight", number(1), "Thickness of the stroke, in pixels.", 1),
        _setting("noise", number(0, 0.5), "The share of pixels that is turned over.", 0),
    ),
)
"""The data sets' entries."""
