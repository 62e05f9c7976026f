"""The language of a spec: YAML text to a typed, located, checked `Spec`. Never imports Keras."""

from cnnctl.spec.components import Component
from cnnctl.spec.graph import Graph, GraphLayer
from cnnctl.spec.loading import Spec, load

__all__ = ["Component", "Graph", "GraphLayer", "Spec", "load"]
