"""Training: the fit, its callbacks and its checkpoints."""

from cnnctl.training.callbacks import Observer
from cnnctl.training.fit import train
from cnnctl.training.resumption import resume
from cnnctl.training.values import Facts, Settings, TrainingResult

__all__ = ["Facts", "Observer", "Settings", "TrainingResult", "resume", "train"]
