"""Training: the fit, its callbacks and its checkpoints."""

from cnnctl.training.callbacks import Observer
from cnnctl.training.fit import Facts, TrainingResult, train

__all__ = ["Facts", "Observer", "TrainingResult", "train"]
