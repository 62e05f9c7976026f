"""The `keras.Model` of a spec, and the only place where Keras's classes are constructed.

registry.py         from a name of the catalog to the object
build.py            from a spec to a compiled model
weights.py          weights from a file that may come from anywhere
averages.py         the averaged weights of a checkpoint
formula_check.py    whether the formulas of plug-ins say what Keras built
failures.py         the layer, and so the line, that a failure comes from
"""
