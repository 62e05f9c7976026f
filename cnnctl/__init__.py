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

Names are imported when they are first used: `import cnnctl` itself starts nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from cnnctl.catalog import complete_by

if TYPE_CHECKING:
    from cnnctl.errors import CnnctlError as CnnctlError
    from cnnctl.evaluation import evaluate as evaluate
    from cnnctl.plugins import register as register
    from cnnctl.prediction import predict as predict
    from cnnctl.prediction import predict_split as predict_split
    from cnnctl.preflight import diff as diff
    from cnnctl.preflight import preflight as check
    from cnnctl.reproduction import reproduce as reproduce
    from cnnctl.spec import load as load
    from cnnctl.spec.json_schema import spec_schema as schema
    from cnnctl.starter import new as new
    from cnnctl.summary import summarize as summarize
    from cnnctl.training import resume as resume
    from cnnctl.training import train as train

_PLACES = {
    "CnnctlError": ("cnnctl.errors", "CnnctlError"),
    "check": ("cnnctl.preflight", "preflight"),
    "predict": ("cnnctl.prediction", "predict"),
    "predict_split": ("cnnctl.prediction", "predict_split"),
    "diff": ("cnnctl.preflight", "diff"),
    "evaluate": ("cnnctl.evaluation", "evaluate"),
    "load": ("cnnctl.spec", "load"),
    "new": ("cnnctl.starter", "new"),
    "register": ("cnnctl.plugins", "register"),
    "reproduce": ("cnnctl.reproduction", "reproduce"),
    "resume": ("cnnctl.training", "resume"),
    "schema": ("cnnctl.spec.json_schema", "spec_schema"),
    "summarize": ("cnnctl.summary", "summarize"),
    "train": ("cnnctl.training", "train"),
}

__all__ = [
    "CnnctlError",
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
    "schema",
    "summarize",
    "train",
]


def __getattr__(name: str) -> Any:
    if name not in _PLACES:
        raise AttributeError(f"module 'cnnctl' has no attribute {name!r}")
    if name in {"reproduce", "resume", "train"}:
        # Their modules need Keras, which is started in cnnctl's way before anything imports it.
        import_module("cnnctl.startup").quiet()
    module, attribute = _PLACES[name]
    return getattr(import_module(module), attribute)


def __dir__() -> list[str]:
    return sorted(__all__)


def _load_installed() -> tuple[str, ...]:
    return tuple(map(str, import_module("cnnctl.plugins.installed").load()))


complete_by(_load_installed)  # the catalog lies below the plug-ins
