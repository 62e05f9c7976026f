"""The language of a spec: YAML text to a typed, located, checked `Spec`. Never imports Keras."""

from cnnctl.spec.components import Component
from cnnctl.spec.graph import Graph, GraphLayer
from cnnctl.spec.loading import load
from cnnctl.spec.spec import AnySpec, Spec

__all__ = ["AnySpec", "Component", "Graph", "GraphLayer", "Spec", "load"]
