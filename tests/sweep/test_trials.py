"""Trials in a real study: taken by one, finished once, retried; in SQLite and a journal."""

import math
import statistics
from types import SimpleNamespace

import pytest
from conftest import XO

optuna = pytest.importorskip("optuna", reason="the extra `sweep` is not installed")

from cnnctl.errors import RunError, UsageError  # noqa: E402
from cnnctl.io.atomic import write_json  # noqa: E402
from cnnctl.runs.find import create_run  # noqa: E402
from cnnctl.runs.run import Run  # noqa: E402
from cnnctl.specs import load  # noqa: E402
from cnnctl.sweep import heartbeat, storage  # noqa: E402
from cnnctl.sweep.definition import count_trials, define  # noqa: E402
from cnnctl.sweep.importance import importance  # noqa: E402
from cnnctl.sweep.reporter import Pruned, Reporter  # noqa: E402
from cnnctl.sweep.request import Request  # noqa: E402
from cnnctl.sweep.space import Parameter, parse_over  # noqa: E402
from cnnctl.sweep.study import open_trials  # noqa: E402
from cnnctl.sweep.sweep_folder import SweepFolder  # noqa: E402
from cnnctl.sweep.table import rows  # noqa: E402
from cnnctl.sweep.trial_training import TrialTraining  # noqa: E402
from cnnctl.sweep.trials import Ended, Trials, number_of  # noqa: E402
from cnnctl.sweep.worker import Worker  # noqa: E402

FAIL, PRUNED = optuna.trial.TrialState.FAIL, optuna.trial.TrialState.PRUNED
BATCHES = parse_over(["fit.batch_size=16,32,64"])
RATE = Parameter("compile.optimizer.Adam.learning_rate", "log_uniform", low=1e-4, high=1e-1)
FILTERS = Parameter("model.layers.0.Conv2D.filters", "int", low=2, high=3)


@pytest.fixture(params=["sqlite", "journal"])
def opened(request, tmp_path):
    """Open the study of a sweep as a process would: returns its trials."""
    (tmp_path / "tiny.yaml").write_text(XO)
    spec = load(tmp_path / "tiny.yaml")

    def open_(space, folder="sweep", trials=None, **settled):
        definition = define(spec, tuple(space), monitor=("val_loss", False),
                            **{"method": None, "seeds": 1, "prune": None, **settled})  # fmt: skip
        shared = SweepFolder(tmp_path / folder)
        shared.make()
        url = {"sqlite": f"sqlite:///{tmp_path}/s.db", "journal": f"{tmp_path}/s.journal"}
        return open_trials(definition, "tiny", url[request.param], shared, trials)

    return open_


def take(found, worker):
    """Take the next trial as a worker does: it and what it tries, or None."""
    while found.enqueue():
        trial = found.study.ask()
        try:
            return trial, found.begin(trial, worker)
        except Ended:
            found.study.tell(trial, state=FAIL)
    return None


def give_back(found, trial):
    trial.set_user_attr("stopped", trial.number)
    found.study.tell(trial, state=FAIL)


def table(found):
    return rows(found.all(), found.count, found.definition.space, 3, found.points)


def numbers(found, taken):
    return [number_of(found.all()[trial.number]) for trial, _ in taken]


ONE, OTHER, THIRD = (letter * 32 for letter in "abc")


def test_each_trial_is_taken_once_and_a_lost_one_again(opened):
    one, other = opened(BATCHES), opened(BATCHES)
    with one.folder.lock(OTHER):
        with one.folder.lock(ONE):
            taken = [take(one, ONE), take(other, OTHER), take(one, ONE)]
            assert numbers(one, taken) == [1, 2, 3]
            assert [values["fit.batch_size"] for _, values in taken] == ["16", "32", "64"]
            assert take(one, ONE) is None
            assert one.are_open()
            taken[0][0].report(0.5, 1)
            taken[0][0].set_user_attr("runs", ["tiny/001"])
            one.study.tell(taken[2][0], 0.25)
        # Now the first worker is gone, and with it the first trial.
        again, values = take(other, OTHER)
        assert numbers(other, [(again, values)]) == [1]
        assert values == taken[0][1]
        assert table(one)[0].losses == 1
        assert again.user_attrs["runs"] == ["tiny/001"]
        assert other.all()[again.number].intermediate_values == {1: 0.5}
        assert take(other, OTHER) is None
        with pytest.raises(ValueError, match="Cannot tell"):
            one.study.tell(taken[0][0], 9.0)  # it was only thought to be gone, and is too late
        other.study.tell(again, 0.125)
        taken[1][0].set_user_attr("reason", "because")
        other.study.tell(taken[1][0], state=FAIL)
    assert not one.are_open()
    assert [(each.number, each.state, each.value) for each in table(one)] == [
        (1, "finished", 0.125), (2, "failed", None), (3, "finished", 0.25),
    ]  # fmt: skip
    assert table(one)[1].reason == "because"


def test_one_that_is_given_back_is_not_lost(opened):
    found = opened(BATCHES)
    with found.folder.lock(ONE):
        for _ in range(5):
            trial, values = take(found, ONE)
            assert numbers(found, [(trial, values)]) == [1]
            give_back(found, trial)
            assert (table(found)[0].state, table(found)[0].losses) == ("waiting", 0)


def test_a_trial_that_costs_every_worker_fails(opened):
    found = opened(BATCHES)
    taken = [take(found, ONE) for _ in range(3)]  # nobody holds the lock
    assert numbers(found, taken) == [1, 1, 1]
    assert numbers(found, [take(found, ONE)]) == [2]
    assert table(found)[0].state == "failed"
    assert table(found)[0].losses == 3
    assert "3 workers were lost" in table(found)[0].reason


def test_two_that_enqueue_a_trial_at_once_do_no_harm(opened):
    """On two machines, which share no lock."""
    one, other = opened(BATCHES), opened(BATCHES, "elsewhere")
    other.all = list  # as if it had looked before the first one's trial was there
    assert one.enqueue()
    assert other.enqueue()
    del other.all
    assert len(one.all()) == 2
    with one.folder.lock(ONE):
        taken = [take(one, ONE) for _ in range(3)]
        assert take(one, ONE) is None
    assert numbers(one, taken) == [1, 2, 3]


def test_what_optuna_starts_for_want_of_a_waiting_trial_is_no_trial_of_the_sweep(opened):
    """As where a worker elsewhere has just taken the one that waited."""
    found = opened(BATCHES)
    with pytest.raises(Ended):
        found.begin(found.study.ask(), ONE)
    with found.folder.lock(ONE):
        assert numbers(found, [take(found, ONE) for _ in range(3)]) == [1, 2, 3]


def test_a_worker_that_is_killed_before_it_begins_a_trial(opened, monkeypatch):
    """It holds no lock yet, and says nothing: the trial is retried after the grace period."""
    found = opened(BATCHES)
    assert found.enqueue()
    found.study.ask()
    with found.folder.lock(ONE):
        assert numbers(found, [take(found, ONE)]) == [2]
        monkeypatch.setattr(heartbeat, "GRACE", 0.0)
        assert numbers(found, [take(found, ONE)]) == [1]


@pytest.mark.parametrize("opened", ["journal"], indirect=True)
def test_a_worker_elsewhere_is_given_time(opened, monkeypatch):
    """No lock is shared: what counts is whether its heartbeat changes."""
    far, near = opened(BATCHES, "far"), opened(BATCHES, "near")
    with far.folder.lock(ONE), near.folder.lock(OTHER):
        taken = [take(far, ONE) for _ in range(3)]
        assert take(near, OTHER) is None
        monkeypatch.setattr(heartbeat, "INTERVAL", 0.05)
        monkeypatch.setattr(heartbeat, "GRACE", 0.5)
        trial, _ = taken[0]
        with heartbeat.beating(trial):
            assert take(near, OTHER) is None
            while (again := take(near, OTHER)) is None:
                pass
            assert numbers(near, [again]) == [2]  # the first one's heart beats
        with pytest.raises(optuna.exceptions.UpdateFinishedTrialError):
            taken[1][0].set_user_attr("progress", [1, 0.1])
        trial.set_user_attr("progress", [1, 0.1])


def test_a_training_ends_where_another_worker_has_its_trial(opened, tmp_path):
    """Its heartbeat was missed, as where a machine slept."""
    found = opened(BATCHES)
    with found.folder.lock(ONE):
        trial, _ = take(found, ONE)
        options = {"monitor": "val_loss", "index": 0, "runs_dir": tmp_path, "identity": ""}
        reporter = Reporter(trial, set(), **options)
        reporter.epoch_ended({"epoch": 1, "seconds": 0.1, "val_loss": 0.5}, True)
        found.study.tell(trial.number, state=FAIL)
        with pytest.raises(Pruned):
            reporter.epoch_ended({"epoch": 2, "seconds": 0.1, "val_loss": 0.4}, True)
    assert reporter.taken
    assert not reporter.pruned


def test_a_run_of_the_same_name_on_another_machine_is_another_trial_s(opened, tmp_path):
    """What far/tiny/001 was trained for is not what near/tiny/001 was."""
    far, near = opened(BATCHES, "far/sweeps/tiny"), opened(BATCHES, "near/sweeps/tiny")
    for folder in ("far", "near"):
        run = create_run("tiny", tmp_path / folder)
        write_json(run.path / "environment.json", {"seed": 0})
    spec = load(tmp_path / "tiny.yaml")
    with far.folder.lock(ONE), near.folder.lock(OTHER):
        trial, _ = take(far, ONE)
        reporter = Reporter(trial, set(), monitor="val_loss", index=0, runs_dir=tmp_path / "far",
                            identity=far.identity)  # fmt: skip
        run = Run(tmp_path / "far/tiny/001")
        reporter.started(SimpleNamespace(spec=spec, run=run, done=0))
        give_back(far, trial)
        trial, _ = take(near, OTHER)
        assert trial.user_attrs["runs"] == ["tiny/001"]
        assert training(near, spec, tmp_path / "near")._earlier(trial, 0) is None
        give_back(near, trial)
        trial, _ = take(far, ONE)
        assert training(far, spec, tmp_path / "far")._earlier(trial, 0) == run


def training(found, spec, runs_dir):
    return TrialTraining(Request(spec=spec.path, runs_dir=runs_dir), found)


def test_the_same_combination_is_not_trained_twice(opened):
    space = [FILTERS]
    found = opened(space, method="random", trials=6)
    with found.folder.lock(ONE):
        (first, values), (second, others) = take(found, ONE), take(found, ONE)
        assert {values[FILTERS.path], others[FILTERS.path]} == {2, 3}
        assert take(found, ONE) is None
        assert [each.state for each in table(found)].count("waiting") == 4
        assert found.are_open()
        found.study.tell(first, 0.5)
        assert take(found, ONE) is None
        found.study.tell(second, state=PRUNED)
        assert take(found, ONE) is None
    assert not found.are_open()
    by_values = {row.values[FILTERS.path]: row for row in table(found) if row.same_as is None}
    assert len(by_values) == 2
    for each in table(found):
        twin = by_values[each.values[FILTERS.path]]
        assert (each.state, each.value) == (twin.state, twin.value)
        assert each.same_as in (None, twin.number)
    assert sorted(row.state for row in by_values.values()) == ["finished", "pruned"]


def test_what_is_drawn_does_not_depend_on_who_draws(opened):
    one = opened([RATE, FILTERS], method="random", trials=5)
    other = opened([RATE, FILTERS], method="random")
    with one.folder.lock(ONE), one.folder.lock(OTHER):
        workers = ((one, ONE), (other, OTHER), (other, OTHER), (one, ONE), (other, OTHER))
        drawn = [take(*each)[1] for each in workers]
    again = Trials(optuna.create_study(), one.definition, one.folder, journal=True)
    again.study.set_user_attr("trials", 5)
    with one.folder.lock(ONE):
        assert [take(again, ONE)[1] for _ in range(5)] == drawn
    rates = [each[RATE.path] for each in drawn]
    assert len(set(rates)) == 5
    assert all(1e-4 <= rate <= 1e-1 for rate in rates)


def test_tpe_finds_the_better_half(opened):
    """A figure that is least at 1e-2: later trials are nearer to it than the first ones."""
    found = opened([RATE], trials=30)
    away = []
    with found.folder.lock(ONE):
        while taken := take(found, ONE):
            away.append(abs(math.log10(taken[1][RATE.path]) + 2))
            found.study.tell(taken[0], away[-1])
    assert len(away) == 30
    assert statistics.fmean(away[15:]) < 0.7 * statistics.fmean(away[:10])


@pytest.mark.parametrize("prune", ["median", "hyperband", "none"])
def test_what_is_not_worth_going_on_ends_early(opened, prune):
    """Curves that start at the rate's distance and fall: the worst are ended, the best never."""
    found = opened([RATE], method="random", trials=16, prune=prune)
    ends = {}
    with found.folder.lock(ONE):
        while taken := take(found, ONE):
            trial, values = taken
            away = abs(math.log10(values[RATE.path]) + 2)
            for epoch in (1, 2, 3):
                trial.report(away / epoch, epoch)
                if epoch < 3 and trial.should_prune():
                    found.study.tell(trial, state=PRUNED)
                    ends[numbers(found, [taken])[0]] = (away, epoch)
                    break
            else:
                found.study.tell(trial, away / 3)
    finished = [each.value * 3 for each in table(found) if each.state == "finished"]
    assert len(finished) + len(ends) == 16
    assert bool(ends) == (prune != "none")
    for each in table(found):
        if each.state == "pruned":
            away, epoch = ends[each.number]
            assert each.value == pytest.approx(away / epoch)
            assert away > min(finished)


def test_importance_of_what_matters(opened):
    space = [RATE, FILTERS]
    found = opened(space, method="random", trials=20)
    with found.folder.lock(ONE):
        assert "too few" in importance(found.study, tuple(space)).reason
        while taken := take(found, ONE):
            trial, values = taken
            found.study.tell(trial, values[RATE.path] + 1e-4 * values[FILTERS.path])
    told = importance(found.study, tuple(space))
    assert told.reason is None
    assert list(told.parts) == [RATE.path, FILTERS.path]
    assert told.parts[RATE.path] > 0.8
    assert sum(told.parts.values()) == pytest.approx(1)
    assert "one parameter" in importance(found.study, (RATE,)).reason


def test_another_sweep_of_the_same_name_is_refused(opened):
    opened(BATCHES)
    with pytest.raises(UsageError, match="is another one") as raised:
        opened([*BATCHES, RATE], prune="none")
    assert f"over.{RATE.path}: – →" in raised.value.hint
    assert "prune" not in raised.value.hint
    with pytest.raises(UsageError) as raised:
        opened(BATCHES, seeds=2)
    assert raised.value.hint.splitlines()[1:] == ["seeds: 1 → 2"]


def test_how_many_trials(opened):
    definition = opened(BATCHES).definition
    assert count_trials(definition, None, 0) == 3
    with pytest.raises(UsageError, match="this grid has 3 trials"):
        count_trials(definition, 4, 0)
    drawn = define(load_spec(definition), (RATE,), method=None, seeds=1, prune=None,
                   monitor=("val_loss", False))  # fmt: skip
    assert (drawn.method, drawn.prune) == ("tpe", "median")
    assert count_trials(drawn, None, 0) == 20
    assert count_trials(drawn, 30, 20) == 30
    assert count_trials(drawn, 10, 20) == 20
    assert count_trials(drawn, None, 25) == 25


def load_spec(definition):
    class Spec:
        name, seed, tree = "tiny", 0, definition_tree(definition)

        class fit:  # noqa: N801
            distribute = "none"
            epochs = 3

    return Spec


def definition_tree(definition):
    from cnnctl.errors import Location
    from cnnctl.specs.nodes import located

    return located(definition.tree, Location("tiny.yaml"))


@pytest.mark.parametrize(
    ("url", "kind", "message"),
    [
        ("sqlite:///nowhere/s.db", UsageError, "no folder"),
        ("mysql:host", UsageError, "neither a database nor a file"),
        ("", UsageError, "--storage '' is neither a database nor a file"),
        ("nothing://host/name", UsageError, "Can't load plugin"),
        ("sqlite:///{}/text", RunError, "not a database"),
        ("{}/text", UsageError, "not a journal"),
        ("{}", RunError, "cannot use the storage"),
    ],
)
def test_storages_that_cannot_be_used(url, kind, message, tmp_path):
    (tmp_path / "text").write_text("hello " * 1000)
    with pytest.raises(kind, match=message):
        storage.open_storage(url.format(tmp_path), SweepFolder(tmp_path))


def test_a_damaged_journal_is_told(tmp_path):
    folder = SweepFolder(tmp_path / "sweep")
    folder.make()
    path = tmp_path / "damaged.journal"
    path.write_text('{"op_code": nonsense\n{}\n')
    with pytest.raises(RunError, match="cannot use the storage"), storage.answering(None, folder):
        optuna.create_study(storage=storage.open_storage(str(path), folder))
    assert path.read_text() == '{"op_code": nonsense\n{}\n'


def test_no_password_is_shown(tmp_path):
    with pytest.raises(UsageError) as raised:
        storage.open_storage("nothing://me:secret@host/name", SweepFolder(tmp_path))
    assert "secret" not in raised.value.message
    assert "me:…@host" in raised.value.message


def test_an_edit_of_the_spec_stops_trials_that_are_to_come_and_no_finished_sweep(opened, tmp_path):
    found, path = opened(parse_over(["fit.batch_size=16,32"])), tmp_path / "tiny.yaml"
    spec = load(path)
    path.write_text(XO.replace("epochs: 3", "epochs: 4"))
    worker = Worker(ONE, Request(spec=path, runs_dir=tmp_path / "runs"), spec, found)
    with pytest.raises(UsageError, match="has changed since the sweep began"):
        worker.work()
    with found.folder.lock(ONE):
        for _ in range(2):
            found.study.tell(take(found, ONE)[0], 0.5)
    assert worker.work() == 0
