"""A trained network: its predictions, its evaluation, and why it predicts what it does.

trained.py       a run, a checkpoint or a file of weights as a model with its spec and data
prediction.py    classes and numbers for images
evaluation.py    loss and metrics on a split
images.py        users' images, converted to the network's input
samples.py       samples of a data set
inspection.py    every layer's output for one input, and the gradients
explain.py       how each output of a layer came about
saliency.py      what in an image an output depends on
"""
