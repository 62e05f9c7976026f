"""The same networks in PyTorch, as its own users would tune them for a CPU.

    PEER/bin/python benchmarks/peer_torch.py NET FILE.npz EPOCHS [SEED] [--precision f32|bf16]
        [--short]

Prints the same JSON object as `plain.py`. Initial weights, batches, pictures held out, learning
rates and the formula of RMSprop are Keras's; Adam divides by √v̂ + ε where Keras divides by √v + ε.
The best epoch by the validation loss is the one that is tested, as in `plain.py`.

Chosen: eager mode, channels_last, Adam and SGD fused, RMSprop written with `_foreach` functions,
ReLU after the pooling (the same, on a quarter of the values), pictures uint8 in memory, and glibc
told to keep freed memory (`variants.KEEP_MEMORY`; set it by hand where this runs alone). Tried on
two cores and slower than what was chosen, as a share of its images per second, in single steps from
it (mnist, cifar10, mnist_book; short runs on a machine that was not idle):

- memory given back to the system: 0.8, 0.9, 0.5
- NCHW: 0.9, 0.8, 0.4
- ReLU before the pooling: 1.0, 0.9, 0.9
- `torch.compile` of forward pass and loss: 0.7, 0.5, 0.7
- Adam not fused: 1.0; `torch.optim.RMSprop`, foreach: 0.8, 0.95, and with its loop 0.7, 0.9
- OpenMP threads that do not spin: 0.85, 0.6, 0.75 (where other programs run, they are faster)
- denormal numbers flushed: no difference
"""

from __future__ import annotations

import argparse
import copy
import math
import time
import warnings
from collections.abc import Callable

import numpy as np
import torch
from networks import NETWORKS, pictures
from process import Clock, peak_bytes, report
from torch import nn
from torch.nn import functional

EVALUATION_BATCH = 256


class RMSprop(torch.optim.Optimizer):
    """Keras's: ε is added under the root."""

    def __init__(self, parameters: list[nn.Parameter]) -> None:
        super().__init__(parameters, {"lr": 1e-3})
        self.parameters = parameters
        self.mean_squares = [torch.zeros_like(each) for each in parameters]

    @torch.no_grad()
    def step(self) -> None:
        slopes = [each.grad for each in self.parameters]
        torch._foreach_mul_(self.mean_squares, 0.9)
        torch._foreach_addcmul_(self.mean_squares, slopes, slopes, 0.1)
        roots = torch._foreach_add(self.mean_squares, 1e-7)
        torch._foreach_sqrt_(roots)
        torch._foreach_addcdiv_(self.parameters, slopes, roots, -1e-3)


def network(name: str) -> nn.Sequential:
    conv, relu, pool = nn.Conv2d, nn.ReLU, nn.MaxPool2d
    layers: dict[str, Callable[[], list[nn.Module]]] = {
        "mnist": lambda: [
            conv(1, 32, 5, padding="same"), pool(2), relu(),
            conv(32, 64, 5, padding="same"), pool(2), relu(),
            nn.Flatten(), nn.Linear(3136, 1024), relu(), nn.Linear(1024, 10),
        ],
        "cifar10": lambda: [
            conv(3, 16, 2, padding="same"), pool(2), relu(),
            conv(16, 32, 2, padding="same"), pool(2), relu(),
            conv(32, 64, 2, padding="same"), pool(2), relu(), nn.Dropout(0.3),
            nn.Flatten(), nn.Linear(1024, 500), relu(), nn.Dropout(0.4), nn.Linear(500, 10),
        ],
        "mnist_book": lambda: [
            conv(1, 32, 3), pool(2), relu(), conv(32, 64, 3), pool(2), relu(),
            conv(64, 64, 3), relu(),
            nn.Flatten(), nn.Linear(576, 64), relu(), nn.Linear(64, 10),
        ],
        "cifar10_lenet": lambda: [
            conv(3, 6, 5), pool(2), relu(), conv(6, 16, 5), pool(2), relu(),
            nn.Flatten(), nn.Linear(400, 120), relu(), nn.Linear(120, 84), relu(),
            nn.Linear(84, 10),
        ],
    }  # fmt: skip
    made = nn.Sequential(*layers[name]())
    for layer in made:
        if isinstance(layer, nn.Conv2d | nn.Linear):
            nn.init.xavier_uniform_(layer.weight)
            nn.init.zeros_(layer.bias)
    return made.to(memory_format=torch.channels_last)


def optimizer_of(name: str, parameters: list[nn.Parameter]) -> torch.optim.Optimizer:
    if name == "mnist":
        return torch.optim.Adam(parameters, 1e-3, eps=1e-7, fused=True)
    if name == "cifar10_lenet":
        return torch.optim.SGD(parameters, 1e-3, momentum=0.9, fused=True)
    return RMSprop(parameters)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("name", choices=NETWORKS, metavar="NET")
    parser.add_argument("file")
    parser.add_argument("epochs", type=int)
    parser.add_argument("seed", type=int, nargs="?", default=0)
    parser.add_argument("--precision", choices=["f32", "bf16"], default="f32")
    parser.add_argument("--short", action="store_true", help="time no evaluation and prediction")
    given = parser.parse_args()
    warnings.filterwarnings("ignore")  # of a padded copy that an even kernel takes
    torch.manual_seed(given.seed)
    constants = NETWORKS[given.name]
    train, validation, test = (
        (torch.from_numpy(x), torch.from_numpy(y.astype(np.int64)))
        for x, y in pictures(given.name, given.file)
    )
    model = network(given.name)
    optimizer = optimizer_of(given.name, list(model.parameters()))

    def logits_of(x: torch.Tensor) -> torch.Tensor:
        x = x.permute(0, 3, 1, 2).float()
        x = x.sub_(127.5).div_(127.5) if constants.signed else x.div_(255)
        with torch.autocast("cpu", torch.bfloat16, enabled=given.precision == "bf16"):
            return model(x).float()

    def train_epoch() -> None:
        model.train()
        images, labels = train
        loss_sum, hits = torch.zeros(()), torch.zeros((), dtype=torch.int64)
        for rows in torch.randperm(len(images)).split(constants.batch_size):
            y = labels[rows]
            logits = logits_of(images[rows])
            loss = functional.cross_entropy(logits, y)
            optimizer.zero_grad(set_to_none=True)
            loss.backward()
            optimizer.step()
            with torch.no_grad():
                loss_sum += loss * len(y)
                hits += (logits.argmax(1) == y).sum()
        if not math.isfinite(float(loss_sum)):
            raise SystemExit("the training diverged")

    @torch.inference_mode()
    def evaluate(images: torch.Tensor, labels: torch.Tensor) -> tuple[float, float]:
        model.eval()
        loss, hits = 0.0, 0
        for x, y in zip(
            images.split(EVALUATION_BATCH), labels.split(EVALUATION_BATCH), strict=True
        ):
            logits = logits_of(x)
            loss += float(functional.cross_entropy(logits, y, reduction="sum"))
            hits += int((logits.argmax(1) == y).sum())
        return loss / len(labels), hits / len(labels)

    @torch.inference_mode()
    def predict(images: torch.Tensor) -> np.ndarray:
        model.eval()
        parts = [logits_of(x).softmax(1) for x in images.split(EVALUATION_BATCH)]
        return torch.cat(parts).numpy()

    def second_call(call: Callable[[], object]) -> float:
        call()
        began = time.perf_counter()
        call()
        return len(test[0]) / (time.perf_counter() - began)

    clock = Clock(len(train[0]))
    best, best_weights = math.inf, None
    for epoch in range(given.epochs):
        if given.name == "mnist":
            optimizer.param_groups[0]["lr"] = 0.001 * 0.6**epoch
        clock.begin()
        train_epoch()
        clock.end()
        if len(validation[0]):
            loss, _ = evaluate(*validation)
            if loss < best:
                best, best_weights = loss, copy.deepcopy(model.state_dict())
    if best_weights is not None:
        model.load_state_dict(best_weights)
    loss, accuracy = evaluate(*test)
    figures: dict[str, object] = {"loss": loss, "accuracy": accuracy, "peak_bytes": peak_bytes()}
    if not given.short:
        figures["evaluate"] = second_call(lambda: evaluate(*test))
        figures["predict"] = second_call(lambda: predict(test[0]))
    report(clock, figures)


if __name__ == "__main__":
    main()
