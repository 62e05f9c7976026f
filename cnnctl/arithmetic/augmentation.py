"""Layers of keras.layers.preprocessing for images: augmentation, resizing, cropping."""

from __future__ import annotations

from cnnctl.arithmetic.calls import Call, Link, Outcome, Refusal, same
from cnnctl.arithmetic.facts import Shape
from cnnctl.arithmetic.formula_table import formula
from cnnctl.arithmetic.shapes import need_axes, shown, size_formulas

_CHANNELS = {
    "RandomHue": (3,),
    "RandomSaturation": (3,),
    "RandomColorDegeneration": (3,),
    "RandomColorJitter": (3,),
    "RandomGrayscale": (1, 3),
    "RandAugment": (1, 3),
    "AugMix": (1, 3),
}
"""How many channels the layers take that mix them."""


def _image(call: Call) -> tuple[tuple[int, ...], Shape]:
    """The places of height and width, and their sizes."""
    need_axes(call, 3)
    places = (1, 2) if call.channels_first else (0, 1)
    return places, tuple(call.shape[place] for place in places)


@formula(
    "AugMix",
    "AutoContrast",
    "ContrastLimitedAdaptiveHistogramEqualization",
    "RandAugment",
    "RandomBrightness",
    "RandomColorDegeneration",
    "RandomColorJitter",
    "RandomContrast",
    "RandomElasticTransform",
    "RandomErasing",
    "RandomFlip",
    "RandomGaussianBlur",
    "RandomGrayscale",
    "RandomHue",
    "RandomInvert",
    "RandomPerspective",
    "RandomPosterization",
    "RandomRotation",
    "RandomSaturation",
    "RandomSharpness",
    "RandomShear",
    "RandomTranslation",
    "RandomZoom",
    "Solarization",
)
def augmentation(call: Call) -> Outcome:
    """The image keeps its shape; outside of training most of them do nothing."""
    need_axes(call, 3)
    channels = call.shape[0 if call.channels_first else -1]
    takes = _channels(call)
    if takes and channels not in takes:
        raise Refusal(
            f"{call.name} takes {' or '.join(map(str, takes))} channels and gets {channels}",
            "remove it, or put it where the pictures have their colors",
        )
    return Outcome(call.shape, links=(same(call.shape),))


def _channels(call: Call) -> tuple[int, ...]:
    """How many channels the layer takes; empty where it takes any, as it treats each alone."""
    if call.name == "RandomColorJitter" and not (call["saturation_factor"] or call["hue_factor"]):
        return ()
    if call.name == "AugMix" and not call["all_ops"]:
        return ()
    return _CHANNELS.get(call.name, ())


def _sized(call: Call, links: list[Link | None]) -> Outcome:
    places, _ = _image(call)
    shape = list(call.shape)
    target = (call["height"], call["width"])
    for place, size in zip(places, target, strict=True):
        shape[place] = size
    every: list[Link | None] = list(same(call.shape))
    for place, link in zip(places, links, strict=True):
        every[place] = link
    texts = [f"{name} = {size}" for name, size in zip(("height", "width"), target, strict=True)]
    return Outcome(tuple(shape), formulas=size_formulas(texts), links=(tuple(every),))


@formula("CenterCrop", "RandomCrop")
def crop(call: Call) -> Outcome:
    """`height` x `width` from the middle."""
    places, sizes = _image(call)
    target = (call["height"], call["width"])
    if call.name == "RandomCrop" and sizes != target:
        raise Refusal(
            "RandomCrop of Keras 3.15 crops in training alone: the layers behind it would get "
            f"{shown(target)} there, and {shown(sizes)} in validation and evaluation",
            "RandomTranslation moves pictures at random, CenterCrop cuts out their middle",
            rule="cropped-in-training-alone",
        )
    if any(size < wanted for size, wanted in zip(sizes, target, strict=True)):
        return _sized(call, [None, None])
    return _sized(
        call,
        [
            Link(place, start=(size - wanted) // 2)
            for place, size, wanted in zip(places, sizes, target, strict=True)
        ],
    )


@formula("Resizing")
def resizing(call: Call) -> Outcome:
    """`height` x `width`; by default each value lies between the two nearest in each direction."""
    places, sizes = _image(call)
    if call["crop_to_aspect_ratio"] and call["pad_to_aspect_ratio"]:
        raise Refusal(
            "Resizing takes `crop_to_aspect_ratio` or `pad_to_aspect_ratio`, not both",
            "leave one of them away",
            rule="contradictory-arguments",
            argument="pad_to_aspect_ratio",
        )
    plain = call["interpolation"] in {"bilinear", "nearest"} and not call["antialias"]
    if not plain or call["crop_to_aspect_ratio"] or call["pad_to_aspect_ratio"]:
        return _sized(call, [None, None])
    target = (call["height"], call["width"])
    return _sized(
        call,
        [
            _resized(place, size, wanted)
            for place, size, wanted in zip(places, sizes, target, strict=True)
        ],
    )


def _resized(axis: int, size: int, wanted: int) -> Link:
    """Output `i` lies at `(i + 1/2)·size/wanted - 1/2` of the input."""
    if size == wanted:
        return Link(axis)
    from fractions import Fraction

    step = Fraction(size, wanted)
    return Link(axis, 3, step, step / 2 - Fraction(3, 2))
