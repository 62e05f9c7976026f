"""The language of a spec: YAML text to a typed, located, checked `Spec`. Never imports Keras.

From the text to the spec:

    source.py, reader.py, nodes.py, scalars.py    the text, as a tree with places
    merge.py, loading.py                          `extends` and `--set`; a file to a `Spec`
    sections.py, validate.py                      the sections, typed
    components.py, checker.py, schema.py          what is constructed by class name
    graph.py                                      the network with its blocks written out
    spec.py                                       the result

What contradicts itself (each is a rule, located):

    rules.py                                      all rules that need no shapes
    loss_rules.py, monitor_rules.py, pairs.py, learning_rates.py, devices.py, batch.py
    output_rules.py, class_count.py               the output beside labels, loss and classes
    schedules.py, rate_expressions.py             learning rates by epoch
    metrics.py                                    names and directions of metrics
    metric_rules.py, metric_targets.py            metrics beside the outputs, and beside the targets
    metric_families.py                            metrics by what they take outputs for
    metric_thresholds.py, iou_rules.py            parts of metric_rules.py

What to say of an error:

    syntax.py, tuples.py, recovery.py, schema_errors.py, value_hints.py

About a spec: difference.py, provenance.py, dump.py, json_schema.py, json_definitions.py.
"""

from cnnctl.specs.components import Component
from cnnctl.specs.graph import Graph, GraphLayer
from cnnctl.specs.loading import load
from cnnctl.specs.spec import AnySpec, Spec

__all__ = ["AnySpec", "Component", "Graph", "GraphLayer", "Spec", "load"]
