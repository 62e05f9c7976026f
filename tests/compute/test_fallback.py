"""A training that cannot be traced in its fast form is trained all the same, and says so."""

import pytest
from components import Case, compared, files
from components import relative as apart

from cnnctl.compute import graph_order
from cnnctl.compute.plan import Plan, recorded
from cnnctl.runs.run import Run

CONVOLUTION = [
    {"Conv2D": {"filters": 4, "kernel_size": 3, "activation": "relu"}},
    "MaxPooling2D",
    "Flatten",
    {"Dense": {"units": 3, "activation": "softmax"}},
]


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    folder = tmp_path_factory.mktemp("data")
    files(folder)
    return folder


@pytest.mark.parametrize("broken", ["pooled_first", "read_once", "inputs_first", "summed"])
def test_no_optimization_ends_a_training(broken, data, tmp_path, monkeypatch):
    def breaks(*arguments):
        raise TypeError("'>=' not supported between instances of 'NoneType' and 'int'")

    monkeypatch.setattr(graph_order, broken, breaks)
    found = compared(Case(CONVOLUTION, optimizer="adam"), tmp_path, data)
    assert not found.plan.fused
    assert not found.plan.reordered
    assert found.plan.parts == 1
    assert "'>=' not supported" in str(found.plan)
    assert found.largest < 1e-5
    plan = recorded(Run(tmp_path / "runs/component/001").environment())
    assert plan == found.plan


def test_plans_of_earlier_versions_are_those_of_reordered_steps():
    plan = Plan(parts=2).to_dict()
    del plan["reordered"]
    assert recorded({"plan": plan}) == Plan(parts=2)
    assert recorded({"plan": {**plan, "reordered": "no"}}) is None


def test_small_values_are_compared_absolutely():
    assert apart(1e-9, 2e-9) < 1e-5
    assert apart(1.0, 1.1) > 0.05
