"""A study from before its workers used `study.optimize`: read, and gone on with.

`before_study_optimize.journal` is what a sweep over four learning rates left when it was killed:
two trials had ended, two were being trained.
"""

import shutil
from pathlib import Path

import pytest
from conftest import XO

optuna = pytest.importorskip("optuna", reason="the extra `sweep` is not installed")

from cnnctl.specs import load  # noqa: E402
from cnnctl.sweep.definition import define  # noqa: E402
from cnnctl.sweep.space import parse_over  # noqa: E402
from cnnctl.sweep.study import open_trials  # noqa: E402
from cnnctl.sweep.sweep_folder import SweepFolder  # noqa: E402
from cnnctl.sweep.table import rows  # noqa: E402

RATE = "compile.optimizer.Adam.learning_rate"
OLD = Path(__file__).with_name("before_study_optimize.journal")
PLACE = "95fd123db1fc4341a794f22103802526"


@pytest.fixture
def trials(tmp_path):
    shutil.copy(OLD, tmp_path / "old.journal")
    (tmp_path / "tiny.yaml").write_text(XO.replace("epochs: 3", "epochs: 25"))
    space = tuple(parse_over([f"{RATE}=0.01,0.001,0.002,0.003"]))
    definition = define(
        load(tmp_path / "tiny.yaml"), space, method="grid", seeds=1, prune="none",
        monitor=("val_loss", False),
    )  # fmt: skip
    folder = SweepFolder(tmp_path / "sweep")
    folder.path.mkdir()
    (folder.path / "place").write_text(PLACE)  # the workers that are gone shared this folder
    folder.make()
    return open_trials(definition, "jour", str(tmp_path / "old.journal"), folder, None)


def test_it_is_read(trials):
    found = rows(trials.all(), trials.count, trials.definition.space, 25, trials.points)
    assert [row.values[RATE] for row in found] == ["0.01", "0.001", "0.002", "0.003"]
    # The values are those that Optuna wrote into the journal.
    assert [row.value for row in found[:2]] == [0.0007496566977351904, 0.22835774719715118]
    assert [row.state for row in found[:2]] == ["finished", "finished"]
    assert all(row.state != "finished" for row in found[2:])


def test_the_trials_that_were_lost_are_taken_again(trials):
    worker, taken = "a" * 32, []
    with trials.folder.lock(worker):
        while trials.enqueue():
            taken.append(trials.begin(trials.study.ask(), worker)[RATE])
    assert sorted(taken) == ["0.002", "0.003"]
