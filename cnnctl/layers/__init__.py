"""Layers that Keras lacks, and an initializer, in Keras's style, one a file.

Importing this package registers them with Keras, so that it can load a model that has them.
"""

from cnnctl.layers.activation_with_arguments import ActivationWithArguments
from cnnctl.layers.locally_connected import LocallyConnected2D
from cnnctl.layers.lp_pooling import LpPooling2D
from cnnctl.layers.values_initializer import Values
from cnnctl.layers.weighted_average_pooling import WeightedAveragePooling2D

__all__ = [
    "ActivationWithArguments",
    "LocallyConnected2D",
    "LpPooling2D",
    "Values",
    "WeightedAveragePooling2D",
]
