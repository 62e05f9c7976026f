"""Sweeps: many trainings of one spec, whose values are lists, ranges, and seeds.

space, ranges ─► checks ─► definition ─► tickets (an Optuna study) ─► workers ─► table, figures
"""

from cnnctl.sweep.conduct import sweep
from cnnctl.sweep.values import Outcome, Request

__all__ = ["Outcome", "Request", "sweep"]
