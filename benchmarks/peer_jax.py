"""The same networks in JAX and Optax, as their own users would tune them for a CPU.

    PEER/bin/python benchmarks/peer_jax.py NET FILE.npz EPOCHS [SEED] [--precision f32|bf16]
        [--short]

Prints the same JSON object as `plain.py`. Initial weights, batches, pictures held out, learning
rates and the formula of RMSprop are Keras's; Adam divides by √v̂ + ε where Keras divides by √v + ε.
The best epoch by the validation loss is the one that is tested, as in `plain.py`.

Chosen: one jitted call for several steps with donated buffers, NHWC, pictures uint8 in memory,
pooling by slices, bias and ReLU after the pooling; MNIST's large kernels by XLA's convolution with
4 steps written out, the others as products of patches with 16 steps in `lax.scan`. Tried on two
cores, as a share of what was chosen (short runs on a machine that was not idle):

- mnist: one step a call 0.8; patches 0.5; patches for the first convolution only 0.7; `lax.scan`
  over XLA's convolution under 0.1; `reduce_window` and ReLU before the pooling 0.6
- cifar10, mnist_book: XLA's convolution with 8 steps written out 0.9, 0.95, and step by step 0.9,
  0.9; patches step by step 0.9, 1.0; the `rbg` random numbers for dropout: no difference
- bfloat16 is slower than float32: 0.7, 0.4, 0.4
- glibc told to keep freed memory (which PyTorch gains from): no difference
"""

from __future__ import annotations

import argparse
import math
import time
from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

import jax
import numpy as np
import optax
from jax import lax
from jax import numpy as jnp
from networks import NETWORKS, pictures
from process import Clock, peak_bytes, report

EVALUATION_BATCH = 250


class Layers(NamedTuple):
    """A network: convolutions (kernel, filters, padding, whether pooled) and dense layers.

    Args:
        convolutions: In their order, each followed by a ReLU.
        dense: Units; a ReLU follows all but the last.
        dropout: Before the first and the last dense layer.
        patches: Whether convolutions are written as products of patches with the kernel.
        together: Steps in one call: by `lax.scan` or, for XLA's own convolutions, which that runs
            on one thread, written out.
    """

    convolutions: tuple[tuple[int, int, str, bool], ...]
    dense: tuple[int, ...]
    dropout: tuple[float, float] = (0.0, 0.0)
    patches: bool = True
    together: int = 16


LAYERS = {
    "mnist": Layers(
        ((5, 32, "SAME", True), (5, 64, "SAME", True)), (1024, 10), patches=False, together=4
    ),
    "cifar10": Layers(
        ((2, 16, "SAME", True), (2, 32, "SAME", True), (2, 64, "SAME", True)),
        (500, 10),
        (0.3, 0.4),
    ),
    "mnist_book": Layers(
        ((3, 32, "VALID", True), (3, 64, "VALID", True), (3, 64, "VALID", False)), (64, 10)
    ),
    "cifar10_lenet": Layers(((5, 6, "VALID", True), (5, 16, "VALID", True)), (120, 84, 10)),
}


def initial(layers: Layers, shape: tuple[int, ...], key: jax.Array) -> list[Any]:
    draw = jax.nn.initializers.glorot_uniform()
    made = []
    _, size, channels = shape
    keys = iter(jax.random.split(key, len(layers.convolutions) + len(layers.dense)))
    for kernel, filters, padding, pooled in layers.convolutions:
        made.append((draw(next(keys), (kernel, kernel, channels, filters)), jnp.zeros(filters)))
        size -= kernel - 1 if padding == "VALID" else 0
        size, channels = size // (2 if pooled else 1), filters
    inputs = size * size * channels
    for units in layers.dense:
        made.append((draw(next(keys), (inputs, units)), jnp.zeros(units)))
        inputs = units
    return made


def convolved(x: jax.Array, kernel: jax.Array, padding: str, patches: bool) -> jax.Array:
    if not patches:
        names = ("NHWC", "HWIO", "NHWC")
        return lax.conv_general_dilated(x, kernel, (1, 1), padding, dimension_numbers=names)
    size = kernel.shape[0]
    if padding == "SAME":
        before = (size - 1) // 2
        edge = (before, size - 1 - before)
        x = jnp.pad(x, ((0, 0), edge, edge, (0, 0)))
    height, width = x.shape[1] - size + 1, x.shape[2] - size + 1
    parts = [x[:, i : i + height, j : j + width, :] for i in range(size) for j in range(size)]
    return jnp.concatenate(parts, -1) @ kernel.reshape(-1, kernel.shape[-1])


def pool(x: jax.Array) -> jax.Array:
    """The largest of each square of four, without `reduce_window`, whose gradient is slow here."""
    height, width = x.shape[1] // 2 * 2, x.shape[2] // 2 * 2
    upper = jnp.maximum(x[:, :height:2, :width:2], x[:, :height:2, 1:width:2])
    lower = jnp.maximum(x[:, 1:height:2, :width:2], x[:, 1:height:2, 1:width:2])
    return jnp.maximum(upper, lower)


def drop(x: jax.Array, rate: float, key: jax.Array) -> jax.Array:
    kept = jax.random.bernoulli(key, 1 - rate, x.shape)
    return jnp.where(kept, x / (1 - rate), 0).astype(x.dtype)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("name", choices=NETWORKS, metavar="NET")
    parser.add_argument("file")
    parser.add_argument("epochs", type=int)
    parser.add_argument("seed", type=int, nargs="?", default=0)
    parser.add_argument("--precision", choices=["f32", "bf16"], default="f32")
    parser.add_argument("--short", action="store_true", help="time no evaluation and prediction")
    given = parser.parse_args()
    constants, layers = NETWORKS[given.name], LAYERS[given.name]
    dtype = jnp.bfloat16 if given.precision == "bf16" else jnp.float32
    train, validation, test = (
        (jnp.asarray(x), jnp.asarray(y)) for x, y in pictures(given.name, given.file)
    )
    batch = constants.batch_size

    def forward(weights: list[Any], x: jax.Array, key: jax.Array | None) -> jax.Array:
        x = x.astype(jnp.float32)
        x = ((x - 127.5) / 127.5 if constants.signed else x / 255).astype(dtype)
        weights = jax.tree.map(lambda each: each.astype(dtype), weights)
        split = len(layers.convolutions)
        for (kernel, bias), (_, _, padding, pooled) in zip(
            weights[:split], layers.convolutions, strict=True
        ):
            x = convolved(x, kernel, padding, layers.patches)
            x = jax.nn.relu((pool(x) if pooled else x) + bias)
        keys = jax.random.split(key) if key is not None else None
        if keys is not None and layers.dropout[0]:
            x = drop(x, layers.dropout[0], keys[0])
        x = x.reshape(x.shape[0], -1)
        for kernel, bias in weights[split:-1]:
            x = jax.nn.relu(x @ kernel + bias)
        if keys is not None and layers.dropout[1]:
            x = drop(x, layers.dropout[1], keys[1])
        return (x @ weights[-1][0] + weights[-1][1]).astype(jnp.float32)

    optimizer: optax.GradientTransformation
    if given.name == "mnist":
        optimizer = optax.inject_hyperparams(optax.adam)(learning_rate=1e-3, eps=1e-7)
    elif given.name == "cifar10_lenet":
        optimizer = optax.sgd(1e-3, momentum=0.9)
    else:
        optimizer = optax.rmsprop(1e-3, decay=0.9, eps=1e-7, eps_in_sqrt=True)

    @partial(jax.jit, donate_argnums=0)
    def steps(carry: Any, order: jax.Array, images: jax.Array, labels: jax.Array) -> Any:
        if layers.patches and len(order) > 1:
            return lax.scan(lambda c, rows: (step(c, rows, images, labels), None), carry, order)[0]
        for rows in order:
            carry = step(carry, rows, images, labels)
        return carry

    def step(carry: Any, rows: jax.Array, images: jax.Array, labels: jax.Array) -> Any:
        weights, state, key, loss_sum, hits = carry
        key, drawn = jax.random.split(key)
        x, y = images[rows], labels[rows]

        def loss_of(weights: list[Any]) -> tuple[jax.Array, jax.Array]:
            logits = forward(weights, x, drawn)
            losses = optax.softmax_cross_entropy_with_integer_labels(logits, y)
            return losses.mean(), (logits.argmax(1) == y).sum()

        (loss, hit), slopes = jax.value_and_grad(loss_of, has_aux=True)(weights)
        updates, state = optimizer.update(slopes, state, weights)
        weights = optax.apply_updates(weights, updates)
        return weights, state, key, loss_sum + loss * len(y), hits + hit

    @jax.jit
    def figures_of(weights: list[Any], x: jax.Array, y: jax.Array) -> tuple[jax.Array, jax.Array]:
        logits = forward(weights, x, None)
        losses = optax.softmax_cross_entropy_with_integer_labels(logits, y)
        return losses.sum(), (logits.argmax(1) == y).sum()

    @jax.jit
    def probabilities(weights: list[Any], x: jax.Array) -> jax.Array:
        return jax.nn.softmax(forward(weights, x, None))

    def evaluate(images: jax.Array, labels: jax.Array) -> tuple[float, float]:
        found = [
            figures_of(weights, images[start : start + EVALUATION_BATCH],
                       labels[start : start + EVALUATION_BATCH])
            for start in range(0, len(images), EVALUATION_BATCH)
        ]  # fmt: skip
        loss, hits = (sum(float(each[index]) for each in found) for index in (0, 1))
        return loss / len(labels), hits / len(labels)

    def predict(images: jax.Array) -> np.ndarray:
        starts = range(0, len(images), EVALUATION_BATCH)
        parts = [probabilities(weights, images[each : each + EVALUATION_BATCH]) for each in starts]
        return np.concatenate([np.asarray(each) for each in parts])

    def second_call(call: Callable[[], object]) -> float:
        call()
        began = time.perf_counter()
        call()
        return len(test[0]) / (time.perf_counter() - began)

    key, drawn = jax.random.split(jax.random.key(given.seed))
    weights = initial(layers, train[0].shape[1:], drawn)
    state = optimizer.init(weights)
    shuffled = np.random.default_rng(given.seed)
    clock = Clock(len(train[0]))
    best, best_weights = math.inf, None
    for epoch in range(given.epochs):
        if given.name == "mnist":
            state.hyperparams["learning_rate"] = jnp.asarray(0.001 * 0.6**epoch)
        clock.begin()
        order = shuffled.permutation(len(train[0])).astype("int32")
        carry = (weights, state, key, jnp.zeros(()), jnp.zeros((), jnp.int32))
        whole = len(order) // batch * batch
        full = order[:whole].reshape(-1, batch)
        for start in range(0, len(full), layers.together):
            carry = steps(carry, full[start : start + layers.together], *train)
        if whole < len(order):
            carry = steps(carry, order[None, whole:], *train)
        weights, state, key, loss_sum, _ = carry
        if not math.isfinite(float(loss_sum)):
            raise SystemExit("the training diverged")
        clock.end()
        if len(validation[0]):
            loss, _ = evaluate(*validation)
            if loss < best:
                best, best_weights = loss, jax.tree.map(jnp.copy, weights)
    if best_weights is not None:
        weights = best_weights
    loss, accuracy = evaluate(*test)
    figures: dict[str, object] = {"loss": loss, "accuracy": accuracy, "peak_bytes": peak_bytes()}
    if not given.short:
        figures["evaluate"] = second_call(lambda: evaluate(*test))
        figures["predict"] = second_call(lambda: predict(test[0]))
    report(clock, figures)


if __name__ == "__main__":
    main()
