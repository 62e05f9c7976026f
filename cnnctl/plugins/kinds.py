"""What can be registered: a class by the Keras class that it derives from, a class that loads
images, a function of the epoch, a function that returns images."""

from __future__ import annotations

import inspect
import sys
from typing import Any

from cnnctl.errors import UsageError

OF_KERAS = {
    "layer": ("layers", "Layer"),
    "callback": ("callbacks", "Callback"),
    "optimizer": ("optimizers", "Optimizer"),
    "schedule": ("optimizers.schedules", "LearningRateSchedule"),
    "loss": ("losses", "Loss"),
    "metric": ("metrics", "Metric"),
    "initializer": ("initializers", "Initializer"),
    "regularizer": ("regularizers", "Regularizer"),
    "constraint": ("constraints", "Constraint"),
}
"""Kind of the catalog → the module of Keras and the class from which its members derive."""

OF_EPOCH = ("epoch", "lr")
"""The first arguments of a function that is a schedule of the learning rate."""

_OF_LABELS = {"y_true", "y_pred"}


def kind_of(registered: Any) -> str:
    """The catalog's kind of a class or function.

    Raises:
        UsageError: It is of none.
    """
    if isinstance(registered, type):
        return _kind_of_class(registered)
    if not inspect.isfunction(registered) or not registered.__name__.isidentifier():
        raise UsageError(
            f"{registered!r:.100} cannot be registered: it is no class and no function with a name"
        )
    name, parameters = registered.__name__, list(inspect.signature(registered).parameters)
    if tuple(parameters[:2]) == OF_EPOCH:
        return "rate_schedule"
    if parameters[:1] == ["epoch"]:
        raise UsageError(
            f"{name} cannot be registered: a schedule of the learning rate begins with the "
            "arguments `epoch, lr`",
            hint=f"def {name}(epoch, lr, …):",
        )
    if _OF_LABELS & set(parameters):
        raise UsageError(
            f"{name} cannot be registered: a function of labels and predictions is a class here",
            hint="derive it from keras.losses.Loss or keras.metrics.Metric",
        )
    return "dataset"


def _kind_of_class(registered: type) -> str:
    keras: Any = sys.modules.get("keras")  # without it no class can derive from one of Keras's
    for kind, (module, base) in OF_KERAS.items() if keras else ():
        owner = keras
        for part in module.split("."):
            owner = getattr(owner, part)
        if issubclass(registered, getattr(owner, base)):
            return kind
    if callable(getattr(registered, "load", None)):
        return "dataset"
    bases = ", ".join(f"keras.{module}.{base}" for module, base in OF_KERAS.values())
    raise UsageError(
        f"{registered.__name__} cannot be registered: it derives from none of {bases}, and has no "
        "method `load`, as a data set"
    )
