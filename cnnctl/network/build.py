"""From a spec to a compiled `keras.Model`: a `Sequential` for a chain, else a functional model."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Any
from warnings import catch_warnings, simplefilter

import keras

from cnnctl.compute.metric_values import adjust_in_graphs, report_each_value, take_one_label
from cnnctl.compute.plan import Plan
from cnnctl.compute.updates import fuse
from cnnctl.errors import Diagnostic, SpecError
from cnnctl.network import registry
from cnnctl.network.failures import reason_of
from cnnctl.network.formula_check import disagreements
from cnnctl.plugins.traceback import places_in_plugins
from cnnctl.specs import Component, GraphLayer, Spec
from cnnctl.specs.graph import INPUT


def build(spec: Spec, input_shape: Sequence[int]) -> keras.Model:
    """Construct the network of a spec, not yet compiled.

    Args:
        spec: A checked spec.
        input_shape: Shape of one image, without the batch.

    Raises:
        SpecError: Keras refuses a layer, or builds another one than a plug-in's formula says, at
            the layer's line.
    """
    model = _built(spec, input_shape)
    for layer in spec.graph.layers:
        if layer.component.arguments.get("trainable") is False:
            _freeze(model.get_layer(layer.name))
    if errors := list(disagreements(spec, model, tuple(input_shape))):
        raise SpecError(errors)
    return model


def _freeze(layer: keras.Layer) -> None:
    """Freeze a layer with all that it has inside.

    A layer that is told so before it has its weights, as a wrapper is, keeps them trainable, and
    being told again changes nothing unless it was told otherwise in between.
    """
    layer.trainable = True
    layer.trainable = False


def _built(spec: Spec, input_shape: Sequence[int]) -> keras.Model:
    image = keras.Input(tuple(input_shape), name=INPUT)
    if spec.graph.is_sequential:
        return _sequential(spec, image)
    tensors = {INPUT: image}
    for layer in spec.graph.layers:
        with _located(layer.component, layer.name):
            tensors[layer.name] = _call(layer, [tensors[name] for name in layer.inputs])
    return keras.Model(image, tensors[spec.graph.output], name=_identifier(spec.name))


def _sequential(spec: Spec, image: Any) -> keras.Sequential:
    """A chain, in which every layer is called once: `add` would call those before it again."""
    layers = []
    for layer in spec.graph.layers:
        with _located(layer.component, layer.name):
            layers.append(construct(layer.component, name=layer.name))
    name = _identifier(spec.name)
    try:
        return keras.Sequential([image, *layers], name=name)
    except Exception:  # whatever Keras raises: which layer it was is found one by one
        model = keras.Sequential([image], name=name)
        for layer in spec.graph.layers:
            with _located(layer.component, layer.name):
                model.add(construct(layer.component, name=layer.name))
        return model


def compile_model(
    model: keras.Model,
    spec: Spec,
    plan: Plan | None = None,
    scope: Callable[[], AbstractContextManager[Any]] = nullcontext,
) -> None:
    """Compile a model with the spec's loss, optimizer and metrics.

    Args:
        model: Built from the spec.
        spec: The spec, with `compile`.
        plan: How its steps are computed; by default as Keras does it.
        scope: Within it, the optimizer makes its variables: that of the weights.

    Raises:
        SpecError: Keras refuses one of them, at its line.
    """
    plan = plan or Plan()
    spec.require("compile")
    assert spec.compile is not None
    with _located(spec.compile.optimizer), scope():
        optimizer = construct(spec.compile.optimizer)
    with _located(spec.compile.loss):
        loss = construct(spec.compile.loss)
    metrics = []
    for metric in spec.compile.metrics:
        with _located(metric):
            metrics.append(construct(metric))
            take_one_label(metrics[-1])
            adjust_in_graphs(metrics[-1])
    with _located(spec.compile.optimizer), catch_warnings():
        simplefilter("ignore")  # that `jit_compile` is left out: it is not, see below
        model.compile(
            optimizer=optimizer,
            loss=loss,
            metrics=metrics,
            steps_per_execution=plan.steps_per_execution,
            jit_compile=spec.compile.jit_compile,
        )
    report_each_value(model)
    if spec.compile.jit_compile is True and not model.jit_compile:
        message = "Keras cannot let XLA compile this network: `jit_compile` would be left out"
        place = spec.place("compile", "jit_compile")
        raise SpecError([Diagnostic("refused-by-keras", message, place, "leave it away")])
    if plan.fused:
        with _located(spec.compile.optimizer), scope():
            model.optimizer.build(model.trainable_variables)
            fuse(model.optimizer)


def construct(component: Component, **extra: Any) -> Any:
    """The Keras object that a component describes, nested components first.

    Args:
        component: A checked component.
        extra: Arguments besides the spec's, such as a layer's `name`.
    """
    arguments = {key: _value(value) for key, value in component.arguments.items()}
    name = component.written if component.kind == "metric" else component.name
    return registry.construct(component.kind, name, {**arguments, **extra})


def _value(value: Any) -> Any:
    if isinstance(value, Component):
        return construct(value)
    if isinstance(value, list):  # as Keras itself gives them when it loads a model
        return [_value(item) for item in value]
    return value


def _call(layer: GraphLayer, tensors: list[Any]) -> Any:
    """Apply a layer to its inputs in the form in which its `call` takes them."""
    from cnnctl.catalog import load

    entry = load().find("layer", layer.component.name)
    form = entry.inputs if entry else "one"
    constructed = construct(layer.component, name=layer.name)
    if form == "list":
        return constructed(tensors)
    if form == "positional":
        return constructed(*tensors)
    # Only a plug-in's layer is fed by several here: the arithmetic refuses it for the others.
    return constructed(tensors if len(tensors) > 1 else tensors[0])


class _located:  # noqa: N801 - reads as a clause: `with _located(layer):`
    """Turns what Keras raises inside the block into a `SpecError` at the component's line."""

    def __init__(self, component: Component, name: str | None = None) -> None:
        self.component = component
        self.name = name

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: Any, error: BaseException | None, traceback: Any) -> None:
        if error is None or isinstance(error, SpecError) or not isinstance(error, Exception):
            return
        label = f" `{self.name}`" if self.name else ""
        message = f"Keras refuses {self.component}{label}: {reason_of(error)}"
        where = places_in_plugins(error)
        raise SpecError(
            [Diagnostic("refused-by-keras", message, self.component.location, None, where)]
        ) from error


def _identifier(name: str) -> str:
    """A name that Keras takes for a model."""
    return name.replace("/", "_")
