"""What trackers are told: parameters that --set takes, the end as the run folder has it."""

import json

import pytest
from conftest import CONFIGS, XO

from cnnctl.runs.run import Run
from cnnctl.specs import load
from cnnctl.specs.nodes import plain
from cnnctl.trackers.metadata import LONGEST, artefacts, ending, flattened, story


@pytest.mark.parametrize("path", sorted(CONFIGS.glob("*.yaml")), ids=lambda path: path.stem)
def test_every_parameter_is_a_path_of_set(path):
    """Each of them, given to --set with its value, changes nothing."""
    spec = load(path)
    tree = plain(spec.tree)
    found = {key: value for key, value in flattened(tree) if key not in ("extends", "description")}
    assert found["fit.epochs"] == spec.fit.epochs
    for key, value in found.items():
        text = value if isinstance(value, str) and value.startswith("[") else json.dumps(value)
        assert plain(load(path, [f"{key}={text}"]).tree) == tree, key


def test_lists_and_long_values():
    tree = {"a": [1, 2], "b": [{"Dense": {"units": 3}}, "Flatten"], "c": {}, "d": None}
    assert dict(flattened(tree)) == {
        "a": "[1, 2]", "b.0.Dense.units": 3, "b.1": "Flatten", "c": "{}", "d": "null",
    }  # fmt: skip
    (long,) = dict(flattened({"x": [[0] * 1000]})).values()
    assert len(long) == LONGEST


@pytest.fixture
def run(tmp_path):
    path = tmp_path / "runs/tiny/004"
    (path / "checkpoints").mkdir(parents=True)
    (path / "spec.yaml").write_text(XO)
    (path / "sources").mkdir()
    (path / "sources/tiny.yaml").write_text(XO)
    return Run(path)


@pytest.mark.parametrize(
    ("state", "error", "expected"),
    [
        ({"status": "finished", "best_epoch": 2}, None, ("finished", None, {"test_loss": 0.5})),
        ({"status": "stopped", "best_epoch": 2}, None, ("stopped", None, {})),
        ({"status": "failed", "reason": "diverged"}, ValueError("x"), ("failed", "diverged", {})),
        ({"status": "running"}, ValueError("x"), ("failed", "x", {})),
        ({"status": "running"}, KeyboardInterrupt(), ("stopped", None, {})),
        ({}, SystemExit(143), ("stopped", None, {})),
    ],
)
def test_the_end(state, error, expected, run):
    (run.path / "state.json").write_text(json.dumps(state))
    (run.path / "evaluation.json").write_text('{"figures": {"loss": 0.5}}')
    found = ending(run, error)
    assert (found.status, found.reason, found.figures) == expected
    assert found.best_epoch == state.get("best_epoch")


def test_files_and_names(run):
    told = story(run, {"id": "a"}, 3)
    assert (told.name, told.group, told.done, told.known) == ("tiny/004", "tiny", 3, {"id": "a"})
    (run.path / "plots").mkdir()
    (run.path / "plots/curves.png").touch()
    (run.path / "plots/.partial-1-x").touch()
    assert dict(artefacts(run)).keys() == {"spec.yaml", "sources/tiny.yaml", "plots/curves.png"}
