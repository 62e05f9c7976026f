"""How a network's steps are computed, and how fast.

device.py          TensorFlow on the chosen device
threads.py         its threads and precision
environment.py     what a training depends on besides its spec
plan.py            how steps are computed: chosen by rule, recorded, kept on resume
feed.py            the input pipeline
steps.py           what is done with a batch, in parts
execution.py       several steps in a call
updates.py         the update of the weights
graph_order.py     the order of a step's operations
generators.py      random numbers of layers
metric_values.py   values of metrics that Keras does not give
cluster.py         the processes of a training, from the environment
launch.py          `cnnctl launch`
strategy.py        who computes: one device, several, several processes
replica_steps.py   their steps
"""
