"""The run folder: everything about one training. Never imports Keras.

run.py           the folder
checkpoint.py    one checkpoint in it
history.py       its `metrics.jsonl`
"""
