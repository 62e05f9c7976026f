"""A trained network: its predictions, its evaluation, and why it predicts what it does.

find_trained.py       a run, a checkpoint or a file of weights, with its spec
trained.py            its data, and its weights in a model
prediction.py         classes and numbers for images
predictions.py        a network's outputs, read per class
evaluation.py         loss and metrics on a split
images.py             users' images as the network takes them
image_files.py        which files users name; open them
image_conversion.py   a decoded image, converted to the network's input
npy_images.py         the arrays of .npy files, converted to the network's input
image_style.py        what images a network takes, and how those look that it was trained on
centering.py          a drawing, cut out and centered as in MNIST
samples.py            samples of a data set
inspection.py         every layer's output for one input, and the gradients
inspected_input.py    that input
explain.py            how each output of a layer came about
saliency.py           what in an image an output depends on
"""
