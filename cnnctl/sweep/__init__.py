"""Sweeps: many trainings of one spec, whose values are lists, ranges, and seeds.

space, ranges ─► value checks ─► definition ─► study (Optuna's) ─► workers ─► table, plots
"""

from cnnctl.sweep.outcome import Outcome
from cnnctl.sweep.request import Request
from cnnctl.sweep.search import sweep

__all__ = ["Outcome", "Request", "sweep"]
