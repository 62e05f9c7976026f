"""Convolutional networks from YAML: check, summarize, train and evaluate with Keras.

Every command has its Python twin here:

    import cnnctl

    print(cnnctl.summarize("mnist").total)
    result = cnnctl.train("mnist", overrides=["fit.epochs=3"])
    print(cnnctl.evaluate("runs/mnist").figures)
    print(cnnctl.predict("runs/mnist", "three.png").top(0, 5))

Paths are `str` or `Path`. Where a spec is meant, it may be given as the path of its file, as the
name of a shipped one, or loaded (`cnnctl.load`). What cannot be done raises a `CnnctlError`; an
argument of the wrong type, a TypeError.

The formula of a plug-in's layer is a function of a `Call` that returns an `Outcome`: see
docs/plugins.md.

Names are imported when they are first used: `import cnnctl` itself starts nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from cnnctl.catalog import complete_by

if TYPE_CHECKING:
    from cnnctl.arithmetic import Call as Call
    from cnnctl.arithmetic import Formula as Formula
    from cnnctl.arithmetic import Link as Link
    from cnnctl.arithmetic import NoFormula as NoFormula
    from cnnctl.arithmetic import Outcome as Outcome
    from cnnctl.arithmetic import Refusal as Refusal
    from cnnctl.arithmetic import Weight as Weight
    from cnnctl.arithmetic import same as same
    from cnnctl.compute.observer import Observer as Observer
    from cnnctl.errors import CnnctlError as CnnctlError
    from cnnctl.inference.evaluation import evaluate as evaluate
    from cnnctl.inference.prediction import predict as predict
    from cnnctl.inference.prediction import predict_split as predict_split
    from cnnctl.plugins import register as register
    from cnnctl.preflight import check as check
    from cnnctl.preflight import diff as diff
    from cnnctl.scaffold.new import new as new
    from cnnctl.specs import load as load
    from cnnctl.specs.json_schema import spec_schema as schema
    from cnnctl.summary.summary import summarize as summarize
    from cnnctl.training.reproduce import reproduce as reproduce
    from cnnctl.training.resume import resume as resume
    from cnnctl.training.train import train as train

_ARITHMETIC = (
    "Call", "Formula", "Link", "NoFormula", "Outcome", "Refusal", "Weight", "same"
)  # fmt: skip
"""What the formula of a plug-in's layer is written with."""

_PLACES = {
    **{name: ("cnnctl.arithmetic", name) for name in _ARITHMETIC},
    "CnnctlError": ("cnnctl.errors", "CnnctlError"),
    "Observer": ("cnnctl.compute.observer", "Observer"),
    "check": (("cnnctl.preflight", "check")),
    "diff": ("cnnctl.preflight", "diff"),
    "evaluate": ("cnnctl.inference.evaluation", "evaluate"),
    "load": ("cnnctl.specs", "load"),
    "new": ("cnnctl.scaffold.new", "new"),
    "predict": ("cnnctl.inference.prediction", "predict"),
    "predict_split": ("cnnctl.inference.prediction", "predict_split"),
    "register": ("cnnctl.plugins", "register"),
    "reproduce": ("cnnctl.training.reproduce", "reproduce"),
    "resume": ("cnnctl.training.resume", "resume"),
    "schema": ("cnnctl.specs.json_schema", "spec_schema"),
    "summarize": ("cnnctl.summary.summary", "summarize"),
    "train": ("cnnctl.training.train", "train"),
}

__all__ = [
    "Call",
    "CnnctlError",
    "Formula",
    "Link",
    "NoFormula",
    "Observer",
    "Outcome",
    "Refusal",
    "Weight",
    "check",
    "diff",
    "evaluate",
    "load",
    "new",
    "predict",
    "predict_split",
    "register",
    "reproduce",
    "resume",
    "same",
    "schema",
    "summarize",
    "train",
]


def __getattr__(name: str) -> Any:
    if name not in _PLACES:
        raise AttributeError(f"module 'cnnctl' has no attribute {name!r}")
    module, attribute = _PLACES[name]
    return getattr(import_module(module), attribute)


def __dir__() -> list[str]:
    return sorted(__all__)


def _load_installed() -> tuple[str, ...]:
    return tuple(map(str, import_module("cnnctl.plugins.installed").load()))


complete_by(_load_installed)  # the catalog lies below the plug-ins
