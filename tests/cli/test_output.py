"""Bars and curves made of letters."""

import io
import math
from types import SimpleNamespace

import pytest
from conftest import XO
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from cnnctl.cli.output import bar, sparkline
from cnnctl.cli.progress import Screen
from cnnctl.specs import load


def test_a_falling_curve():
    assert sparkline([8, 7, 6, 5, 4, 3, 2, 1]) == "█▇▆▅▄▃▂▁"
    assert sparkline([1.0]) == "▁"
    assert sparkline([]) == ""
    assert sparkline([2, 2, 2]) == "▁▁▁"
    assert sparkline([1, 1, 0, 0], columns=2) == "█▁"
    assert sparkline([1, math.nan, 0]) == "█▁"


@given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=300), st.integers(1, 60))
def test_a_column_for_each_part(values, columns):
    line = sparkline(values, columns)
    assert len(line) == min(len(values), columns)
    if len(set(values)) > 1 and len(values) <= columns and max(values) - min(values) > 1e-6:
        assert line[values.index(max(values))] == "█"
        assert line[values.index(min(values))] == "▁"


@pytest.mark.parametrize(("part", "expected"), [
    (0, ""), (1, "█" * 8), (0.5, "█" * 4), (1 / 16, "▌"), (2, "█" * 8), (-1, ""),
])  # fmt: skip
def test_bars(part, expected, monkeypatch):
    monkeypatch.setattr("sys.stdout", io.TextIOWrapper(io.BytesIO(), "utf-8"))
    assert bar(part, 8) == expected
    monkeypatch.setattr("sys.stdout", io.TextIOWrapper(io.BytesIO(), "ascii"))
    assert set(bar(part, 8)) <= {"#"}


@pytest.mark.parametrize("encoding", ["utf-8", "ascii"])
def test_the_screen_shows_the_shape_of_the_loss(encoding):
    file = io.TextIOWrapper(io.BytesIO(), encoding)
    console = Console(file=file, force_terminal=True, width=100)
    screen = Screen(console)
    screen.current = screen.bar.add_task("epoch 1/3", total=3, unit="steps", figures="")
    assert screen.curve() == []
    for step, loss in enumerate((0.9, 0.5, 0.1), 1):
        screen.step_ended(step, {"loss": loss, "accuracy": 0.5})
    assert screen.curve() == (["loss █▅▁ 0.1000"] if encoding == "utf-8" else [])


def test_the_bar_of_an_epoch_stays_when_the_one_before_it_has_been_written(tmp_path):
    """An epoch is told of once it is on the disk: while the next one computes."""
    (tmp_path / "tiny.yaml").write_text(XO)
    file = io.StringIO()
    screen = Screen(Console(file=file, width=100))
    screen.facts = SimpleNamespace(steps=7, spec=load(tmp_path / "tiny.yaml"))
    row = {"epoch": 1, "seconds": 1.0, "images_per_second": 9.0, "learning_rate": 0.1, "loss": 0.5}
    screen.epoch_began(1, 0.1)
    screen.step_ended(7, {"loss": 0.5})
    screen.epoch_began(2, 0.1)
    screen.step_ended(3, {"loss": 0.4})
    screen.epoch_ended(row, improved=True)
    screen.console.print(screen)
    assert "epoch 2/3" in file.getvalue()
    assert "3/7" in file.getvalue()
    screen.epoch_ended({**row, "epoch": 2}, improved=False)
    file.truncate(0)
    screen.console.print(screen)
    assert "epoch 2/3" not in file.getvalue()
