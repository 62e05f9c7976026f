"""Where else the figures of a training go: TensorBoard, MLflow, Weights & Biases.

A tracker says nothing about a network, and nothing of a training depends on one; so a spec does not
name any. `tracking.Tracking` is an observer of a training, like the table in the terminal;
`available` says which trackers there are, and imports none of them.
"""
