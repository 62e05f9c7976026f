"""Every name that a spec may use, and its arguments.

    >>> catalog = load()
    >>> catalog.find("layer", "Conv2D").argument("filters").schema
    {'type': 'integer', 'minimum': 1}

Keras's part is generated from Keras and stored as data (`keras.json`), so that reading a spec
needs no Keras; a test compares the two. The rest is written by hand:

    allowed.py           which names, which not and why
    managed.py           arguments that a spec may not give, and why
    argument_rules.py    the arguments' types; by class and by name: rules_by_*.py
    own.py               what Keras does not have: blocks, data sets, rate schedules
    synonyms.py          what other tools call these things, for the fix of an error
    migration_hints.py   the same for arguments, keys and values
    shipped.py           the specs that come with cnnctl
    describe.py          the entry of a plug-in's class or function
"""

from cnnctl.catalog.catalog import KINDS, Catalog, complete_by, load
from cnnctl.catalog.entry import Argument, Entry
from cnnctl.catalog.suggest import nearest

__all__ = ["KINDS", "Argument", "Catalog", "Entry", "complete_by", "load", "nearest"]
