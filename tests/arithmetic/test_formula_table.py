"""The table of rules: layers without one, formulas of plug-ins, and what is not imported."""

from __future__ import annotations

import subprocess
import sys

import pytest

from cnnctl.arithmetic import Call, NoFormula, Outcome, Weight, formula, formula_table
from cnnctl.specs.components import Component

from .twin import facts, layer


def test_a_layer_without_a_rule_is_named_and_what_it_feeds_left_out() -> None:
    traced = facts(
        (8, 8, 3),
        layer("Conv2D", filters=2, kernel_size=3),
        layer("MyBlock", name="mine"),
        layer("Flatten"),
    )
    assert traced.unknown == ("mine",)
    assert [each.layer for each in traced.layers] == ["Conv2D"]
    with pytest.raises(NoFormula, match="mine"):
        _ = traced.output_shape


def test_a_form_without_a_formula_is_unknown_too() -> None:
    traced = facts((5, 4), layer("LSTM", units=3, return_state=True))
    assert traced.unknown == ("lstm",)


def test_a_plug_in_brings_its_own_formula(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(formula_table, "_RULES", dict(formula_table._RULES))

    @formula("MyBlock")
    def my_block(call: Call) -> Outcome:
        """Twice the channels, one weight for each."""
        *spatial, channels = call.shape
        size = channels * call["factor"]
        return Outcome((*spatial, size), (Weight("factor", (size,)),), macs=None)

    traced = facts((8, 8, 3), layer("MyBlock", factor=2), layer("Flatten"))
    assert traced.unknown == ()
    assert traced.output_shape == (8 * 8 * 6,)
    assert (traced.total, traced.macs) == (6, None)
    assert traced.layers[0].receptive_field is None


def test_a_frozen_layer_of_a_plug_in_is_frozen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(formula_table, "_RULES", dict(formula_table._RULES))
    formula("MyBlock")(lambda call: Outcome(call.shape, (Weight("kernel", (3,)),)))
    made: Component = layer("MyBlock", trainable=False)
    assert (facts((4,), made).trainable, facts((4,), made).non_trainable) == (0, 3)


def test_neither_keras_nor_numpy_is_imported() -> None:
    code = (
        "import sys, cnnctl.arithmetic\n"
        "print(sorted({'tensorflow', 'keras', 'numpy', 'pydantic'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
