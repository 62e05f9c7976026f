"""The named data sets: MNIST and the others.

load.py               one of them: found, downloaded or sampled
sources.py            what they hold, where they are published, and their hashes
places.py             where they may lie on this machine
download.py           downloads that end
published_files.py    the published files, read and recognized
sample.py             the sample of MNIST for machines without a network
"""
