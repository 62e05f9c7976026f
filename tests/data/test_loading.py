"""`cnnctl.data.load`, and what importing costs."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from cnnctl.data import load
from cnnctl.errors import DataError


def test_relative_paths_start_at_the_spec(tmp_path: Path) -> None:
    (tmp_path / "arrays").mkdir()
    np.savez(tmp_path / "arrays" / "a.npz", x_train=np.zeros((2, 3)), y_train=np.zeros(2, int))
    assert len(load("npz", {"path": "arrays/a.npz"}, base=tmp_path).train) == 2
    assert len(load("npz", {"path": str(tmp_path / "arrays/a.npz")}, base=Path("/")).train) == 2


def test_an_unknown_name_and_a_missing_path() -> None:
    with pytest.raises(DataError, match="unknown data set `imagenet`") as caught:
        load("imagenet", {}, base=Path())
    assert "fashion_mnist" in (caught.value.hint or "")
    with pytest.raises(DataError, match="`path` is missing"):
        load("npz", {}, base=Path())


@pytest.mark.parametrize(
    "program",
    [
        "import cnnctl.data",
        "import cnnctl.data.named.sources, cnnctl.data.inventory as i; i.list_datasets()",
        "import cnnctl.cli.data",
    ],
)
def test_listing_imports_neither_numpy_nor_tensorflow(program: str) -> None:
    check = "; import sys; print({'numpy', 'PIL', 'tensorflow', 'keras'} & set(sys.modules))"
    result = subprocess.run([sys.executable, "-c", program + check], capture_output=True, text=True)
    assert result.stdout.strip() == "set()", result.stderr


def test_loading_imports_no_framework() -> None:
    program = (
        "import sys, pathlib; from cnnctl.data import load, fit_to, hold_out, normalization\n"
        "d = hold_out(fit_to(load('xo', base=pathlib.Path()), (9, 9, 1), 'int', 2), 0.2)\n"
        "normalization('unit', d.train).apply(d.train.x)\n"
        "print([m for m in ('tensorflow', 'keras', 'pickle5') if m in sys.modules])"
    )
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert result.stdout.strip() == "[]", result.stderr
