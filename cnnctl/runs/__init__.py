"""The run folder: everything about one training. Never imports Keras.

run.py           the folder
find.py          the next run, and the run that a path means
records.py       its JSON files
checkpoint.py    one checkpoint in it
history.py       its `metrics.jsonl`
"""
