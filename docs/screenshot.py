"""Make docs/training.svg: a real training as its terminal shows it, by Rich's own export.

CNNCTL_DATA_DIR=DIR python docs/screenshot.py
"""

from __future__ import annotations

import io
import os
import tempfile
from pathlib import Path

from rich.console import Console
from rich.text import Text

from cnnctl.cli.progress import Screen
from cnnctl.specs import load
from cnnctl.startup import quiet

ROOT = Path(__file__).resolve().parent.parent
NETWORK = "configs/mnist_book.yaml"
EPOCH, STEP = 4, 600
"""When the picture is taken."""


class Camera(Screen):
    """The screen of a training, photographed once."""

    def __init__(self) -> None:
        super().__init__(Console(file=io.StringIO(), width=100, force_terminal=True))
        self.lines: list[str] = []
        self.image: Console | None = None

    def say(self, text: str) -> None:
        """Remember a line above the display."""
        self.lines.append(text)

    def step_ended(self, step: int, logs: dict[str, float]) -> None:
        """Move the bar, and take the picture when the time has come."""
        super().step_ended(step, logs)
        if self.image is None and len(self.rows) == EPOCH - 1 and step >= STEP:
            self.image = Console(record=True, file=io.StringIO(), width=100, force_terminal=True)
            self.image.print(Text(f"$ cnnctl train {NETWORK}", style="bold"))
            for line in self.lines:
                self.image.print(Text(line))
            self.image.print(self)


def main() -> None:
    """Train the book's network and export what the screen showed in its fourth epoch."""
    quiet()
    from cnnctl.training.train import train

    data = Path(os.environ["CNNCTL_DATA_DIR"]).resolve()
    spec = load(ROOT / NETWORK)
    os.chdir(tempfile.mkdtemp())
    Path("data").symlink_to(data)
    with Camera() as camera:
        train(spec, data_dir=Path("data"), full_data=True, observers=[camera])
    assert camera.image is not None
    camera.image.save_svg(str(ROOT / "docs/training.svg"), title="cnnctl")


if __name__ == "__main__":
    main()
