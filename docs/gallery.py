"""Make docs/gallery.md and its pictures, from two real runs.

    python docs/gallery.py MNIST_RUN CIFAR10_RUN

Each picture is what the command above it writes. The runs are named as they are to be shown: call
it from the folder that has runs/mnist/001.
"""

from __future__ import annotations

import shlex
import subprocess
import sys
from pathlib import Path

DOCS = Path(__file__).resolve().parent
ROOT = DOCS.parent
FOLDER = DOCS / "gallery"

IMAGES = (
    ("data-cifar10", "Samples of a data set, its class balance, its pixels",
     "cnnctl data show cifar10 --count 16"),
    ("data-augmented", "What a network gets: normalized, moved and mirrored anew",
     "cnnctl data show configs/cifar10_resnet.yaml --count 9"),
    ("architecture", "A network to scale, from its spec alone", "cnnctl plot configs/cifar10.yaml"),
    ("architecture-resnet", "Branches are drawn as what they are",
     "cnnctl plot configs/cifar10_resnet.yaml"),
    ("curves", "How a training went", "cnnctl plot CIFAR10 curves"),
    ("predictions", "Test pictures, predicted (true)", "cnnctl predict CIFAR10 --plot"),
    ("worst", "The worst mistakes", "cnnctl predict MNIST --worst --count 16 --plot"),
    ("confusion", "What is mistaken for what", "cnnctl plot CIFAR10 confusion"),
    ("calibration", "How sure, and how often right", "cnnctl plot CIFAR10 calibration"),
    ("filters", "The filters of the first convolution", "cnnctl plot MNIST filters"),
    ("features", "Feature maps of one picture, layer by layer", "cnnctl plot MNIST features"),
    ("saliency", "Where a class is seen", "cnnctl plot CIFAR10 saliency"),
    ("excitation", "What excites the channels of a convolution", "cnnctl plot CIFAR10 excitation"),
    ("histograms", "Weights and activations", "cnnctl plot MNIST histograms"),
)  # fmt: skip


def main(mnist: Path, cifar10: Path) -> None:
    """Write every picture, and the page that shows them."""
    FOLDER.mkdir(exist_ok=True)
    page = ["# Gallery", "",
            "Made by `python docs/gallery.py MNIST_RUN CIFAR10_RUN` from runs of "
            "`configs/mnist.yaml` and `configs/cifar10.yaml`; each picture is what the command "
            "beside it writes.", ""]  # fmt: skip
    runs = {"MNIST": mnist, "CIFAR10": cifar10}
    for name, title, command in IMAGES:
        path = FOLDER / f"{name}.png"
        words = [str(runs.get(word, word)) for word in shlex.split(command)]
        words = [str(ROOT / word) if word.startswith("configs/") else word for word in words]
        words += [str(path)] if words[-1] == "--plot" else ["--out", str(path)]
        print(shlex.join(words))
        done = subprocess.run(words, capture_output=True, text=True, check=False)
        if done.returncode:
            sys.exit(done.stderr)
        shown = command.replace("MNIST", "runs/mnist/001").replace("CIFAR10", "runs/cifar10/001")
        page += [f"## {title}", "", f"`{shown}`", "", f"![{title}](gallery/{name}.png)", ""]
    (DOCS / "gallery.md").write_text("\n".join(page), encoding="utf-8")


if __name__ == "__main__":
    main(*(Path(argument) for argument in sys.argv[1:3]))
