"""Plug-ins: code whose classes and functions a spec may name, beside Keras's and cnnctl's own.

    # my_layers.py
    import cnnctl, keras

    @cnnctl.register
    class Doubled(keras.layers.Layer):
        \"\"\"Twice its input.\"\"\"
        def call(self, x):
            return 2 * x

Code enters by two doors. `cnnctl train net.yaml --plugin my_layers.py` runs a file; a package that
is installed, and has an entry point in the group `cnnctl.plugins`, is imported when a spec names
what nothing else defines. A spec cannot name a file of code, and neither can a checkpoint.

    kinds.py          what can be registered
    registering.py    the decorator, and what it has registered
    formulas.py       a plug-in's arithmetic, which may be wrong
    starting.py       Keras, for a plug-in that imports it
    files.py          --plugin FILE
    installed.py      entry points
    record.py         what was loaded, and what a run recorded of it
    requirements.py   what a run needs of it
    traceback.py      where in a plug-in an error arose
"""

from cnnctl.plugins.files import load
from cnnctl.plugins.record import Plugin, changed, in_use, loaded
from cnnctl.plugins.registering import Declared, declared, register
from cnnctl.plugins.requirements import require

__all__ = [
    "Declared",
    "Plugin",
    "changed",
    "declared",
    "in_use",
    "load",
    "loaded",
    "register",
    "require",
]
