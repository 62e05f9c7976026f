"""Files and the machine: what is read with suspicion, and written whole or not at all.

atomic.py        files that are either whole or absent
untrusted.py     files that may come from anywhere
hdf5.py          the little of HDF5 that weights files consist of
path_kinds.py    what a path is, for commands that are handed another kind of thing
text.py          sizes and counts, as messages show them
printable.py     text that is safe to show in a terminal
arguments.py     what callers of the Python functions may give
notes.py         notes on files that are read only in part
signals.py       the signals that end a command
machine.py       processors and memory
"""
