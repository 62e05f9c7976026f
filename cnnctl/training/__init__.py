"""Training: the trainer, its callbacks and its checkpoints."""
