"""Convolutional networks from YAML: check, summarize, train and evaluate with Keras.

Every command has its Python twin here:

    import cnnctl

    spec = cnnctl.load("configs/mnist.yaml", ["fit.epochs=3"])
    print(cnnctl.summarize("configs/mnist.yaml").total)
    result = cnnctl.train(spec)
    print(cnnctl.evaluate(result.run.path).figures)

Names are imported when they are first used: `import cnnctl` itself starts nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from cnnctl.errors import CnnctlError as CnnctlError
    from cnnctl.evaluation import evaluate as evaluate
    from cnnctl.plugins import register as register
    from cnnctl.prediction import predict as predict
    from cnnctl.prediction import predict_split as predict_split
    from cnnctl.preflight import preflight as check
    from cnnctl.reproduction import reproduce as reproduce
    from cnnctl.spec import load as load
    from cnnctl.spec.difference import differences as diff
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
    "diff": ("cnnctl.spec.difference", "differences"),
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
        import_module("cnnctl.backend").quiet()
    module, attribute = _PLACES[name]
    return getattr(import_module(module), attribute)


def __dir__() -> list[str]:
    return sorted(__all__)
