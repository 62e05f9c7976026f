"""Training: from the data to the evaluation of the best epoch.

train.py, resume.py, reproduce.py    the functions of `cnnctl`; they import Keras when called
trainer.py                           a training, from top to bottom
resumed_trainer.py, restart.py       one that goes on where a run was; where that is
reproduced_trainer.py, comparing.py  one that is compared with a run
watching.py                          with trackers and a page
compiled_model.py                    the model and its input pipelines
callbacks.py, checkpoints.py         what happens at the end of an epoch
state.py, optimizer_state.py,
kept_weights.py, best_model.py       what goes on, and with which weights
compatibility.py                     what a run may go on with
description.py                       what a run is made from, in its folder
interrupt.py, divergence.py,
randomness.py, follower.py           signals, NaN, seeds, other processes
results.py                           settings, start, result
"""
