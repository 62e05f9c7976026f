"""Tickets in a real study: taken by one, finished once, taken up again; in SQLite and a journal."""

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
from cnnctl.sweep import storage, tickets  # noqa: E402
from cnnctl.sweep.definition import count_trials, define  # noqa: E402
from cnnctl.sweep.importance import importance  # noqa: E402
from cnnctl.sweep.joining import open_study  # noqa: E402
from cnnctl.sweep.reporter import Reporter  # noqa: E402
from cnnctl.sweep.space import Parameter, parse_over  # noqa: E402
from cnnctl.sweep.storage import Place  # noqa: E402
from cnnctl.sweep.table import rows  # noqa: E402
from cnnctl.sweep.tickets import Tickets  # noqa: E402
from cnnctl.sweep.worker import Worker  # noqa: E402

BATCHES = parse_over(["fit.batch_size=16,32,64"])
RATE = Parameter("compile.optimizer.Adam.learning_rate", "log_uniform", low=1e-4, high=1e-1)
FILTERS = Parameter("model.layers.0.Conv2D.filters", "int", low=2, high=3)


@pytest.fixture(params=["sqlite", "journal"])
def opened(request, tmp_path):
    """Join a sweep as a process would: returns its tickets."""
    (tmp_path / "tiny.yaml").write_text(XO)
    spec = load(tmp_path / "tiny.yaml")

    def join(space, worker, folder="sweep", trials=None, **settled):
        definition = define(spec, tuple(space), monitor=("val_loss", False),
                            **{"method": None, "seeds": 1, "prune": None, **settled})  # fmt: skip
        place = Place(tmp_path / folder)
        place.make()
        url = {"sqlite": f"sqlite:///{tmp_path}/s.db", "journal": f"{tmp_path}/s.journal"}
        study = open_study(definition, "tiny", url[request.param], place, trials)
        return Tickets(study, definition, place, worker)

    return join


def table(found):
    return rows(found.trials(), found.count, found.definition.space, 3, found.points)


ONE, OTHER, THIRD = (letter * 32 for letter in "abc")


def test_each_ticket_is_taken_once_and_a_lost_one_again(opened):
    one, other = opened(BATCHES, ONE), opened(BATCHES, OTHER)
    with one.place.locked(OTHER):
        with one.place.locked(ONE):
            taken = [one.claim(), other.claim(), one.claim()]
            assert [each.ticket for each in taken] == [1, 2, 3]
            assert [each.values["fit.batch_size"] for each in taken] == ["16", "32", "64"]
            assert one.claim() is None
            assert one.is_open()
            taken[0].trial.report(0.5, 1)
            taken[0].trial.set_user_attr("runs", ["tiny/001"])
            one.finish(taken[2], 0.25)
        # Now the first worker is gone, and with it the first ticket.
        again = other.claim()
        assert again.ticket == 1
        assert again.values == taken[0].values
        assert again.losses == 1
        assert again.trial.user_attrs["runs"] == ["tiny/001"]
        assert other.reported(again) == {1}
        assert other.claim() is None
        one.finish(taken[0], 9.0)  # it was only thought to be gone: its figure comes too late
        other.finish(again, 0.125)
        other.fail(taken[1], "because")
    assert not one.is_open()
    assert [(each.number, each.state, each.value) for each in table(one)] == [
        (1, "finished", 0.125), (2, "failed", None), (3, "finished", 0.25),
    ]  # fmt: skip
    assert table(one)[1].reason == "because"


def test_one_that_is_given_back_is_not_lost(opened):
    found = opened(BATCHES, ONE)
    with found.place.locked(ONE):
        for _ in range(5):
            claim = found.claim()
            assert (claim.ticket, claim.losses) == (1, 0)
            found.give_back(claim)
            assert table(found)[0].state == "waiting"


def test_a_trial_that_costs_every_worker_fails(opened):
    found = opened(BATCHES, ONE)
    assert [found.claim().ticket for _ in range(3)] == [1, 1, 1]  # nobody holds the lock
    assert found.claim().ticket == 2
    assert table(found)[0].state == "failed"
    assert "3 workers ended without a word" in table(found)[0].reason


def test_two_that_issue_a_ticket_at_once_do_no_harm(opened):
    """On two machines, which share no lock."""
    one, other = opened(BATCHES, ONE), opened(BATCHES, OTHER, "elsewhere")
    other.trials = list  # as if it had looked before the first one's trial was there
    assert one.issue()
    assert other.issue()
    del other.trials
    assert len(one.trials()) == 2
    with one.place.locked(ONE):
        taken = [one.claim() for _ in range(4)]
    assert [each and each.ticket for each in taken] == [1, 2, 3, None]


def test_a_worker_elsewhere_is_given_time(opened, monkeypatch):
    """No lock is shared: what counts is whether its sign of life changes."""
    far, near = opened(BATCHES, ONE, "far"), opened(BATCHES, OTHER, "near")
    with far.place.locked(ONE), near.place.locked(OTHER):
        claims = [far.claim() for _ in range(3)]
        assert near.claim() is None
        monkeypatch.setattr(tickets, "GRACE", 0.0)
        far.beat(claims[0], 1)
        assert near.claim().ticket == 2  # the first one's sign has changed since
        assert not far.is_mine(claims[1])
        assert far.is_mine(claims[0])


def test_a_run_of_the_same_name_on_another_machine_is_another_trial_s(opened, tmp_path):
    """What far/tiny/001 was trained for is not what near/tiny/001 was."""
    far, near = opened(BATCHES, ONE, "far/sweeps/tiny"), opened(BATCHES, OTHER, "near/sweeps/tiny")
    for folder in ("far", "near"):
        run = create_run("tiny", tmp_path / folder)
        write_json(run.path / "environment.json", {"seed": 0})
    spec = load(tmp_path / "tiny.yaml")
    with far.place.locked(ONE), near.place.locked(OTHER):
        claim = far.claim()
        reporter = Reporter(far, claim, "val_loss", 0, tmp_path / "far")
        run = Run(tmp_path / "far/tiny/001")
        reporter.started(SimpleNamespace(spec=spec, run=run, done=0))
        far.give_back(claim)
        claim = near.claim()
        assert claim.trial.user_attrs["runs"] == ["tiny/001"]
        assert worker(near, tmp_path / "near")._earlier(claim, 0) is None
        near.give_back(claim)
        claim = far.claim()
        assert worker(far, tmp_path / "far")._earlier(claim, 0) == run


def worker(found, runs_dir):
    task = SimpleNamespace(spec=runs_dir.parent / "tiny.yaml", overrides=[], runs_dir=runs_dir)
    return Worker(task, found, found.definition)


def test_the_same_combination_is_not_trained_twice(opened):
    space = [FILTERS]
    found = opened(space, ONE, method="random", trials=6)
    with found.place.locked(ONE):
        first, second = found.claim(), found.claim()
        assert {first.values[FILTERS.path], second.values[FILTERS.path]} == {2, 3}
        assert found.claim() is None
        assert [each.state for each in table(found)].count("waiting") == 4
        found.finish(first, 0.5)
        assert found.claim() is None
        found.prune(second)
        assert found.claim() is None
    assert not found.is_open()
    for each in table(found):
        twin = first if each.values == first.values else second
        assert each.state == ("finished" if twin is first else "pruned")
        assert each.same_as in (None, twin.ticket)
    assert sum(each.same_as is None for each in table(found)) == 2


def test_what_is_drawn_does_not_depend_on_who_draws(opened):
    one = opened([RATE, FILTERS], ONE, method="random", trials=5)
    other = opened([RATE, FILTERS], OTHER, method="random")
    with one.place.locked(ONE), one.place.locked(OTHER):
        drawn = [each.claim().values for each in (one, other, other, one, other)]
    again = Tickets(optuna.create_study(), one.definition, one.place, ONE)
    again.study.set_user_attr("trials", 5)
    with one.place.locked(ONE):
        assert [again.claim().values for _ in range(5)] == drawn
    rates = [each[RATE.path] for each in drawn]
    assert len(set(rates)) == 5
    assert all(1e-4 <= rate <= 1e-1 for rate in rates)


def test_tpe_finds_the_better_half(opened):
    """A figure that is least at 1e-2: later trials are nearer to it than the first ones."""
    found = opened([RATE], ONE, trials=30)
    away = []
    with found.place.locked(ONE):
        while claim := found.claim():
            away.append(abs(math.log10(claim.values[RATE.path]) + 2))
            found.finish(claim, away[-1])
    assert len(away) == 30
    assert statistics.fmean(away[15:]) < 0.7 * statistics.fmean(away[:10])


@pytest.mark.parametrize("prune", ["median", "hyperband", "none"])
def test_what_is_not_worth_going_on_ends_early(opened, prune):
    """Curves that start at the rate's distance and fall: the worst are ended, the best never."""
    found = opened([RATE], ONE, method="random", trials=16, prune=prune)
    ends = {}
    with found.place.locked(ONE):
        while claim := found.claim():
            away = abs(math.log10(claim.values[RATE.path]) + 2)
            for epoch in (1, 2, 3):
                claim.trial.report(away / epoch, epoch)
                if epoch < 3 and claim.trial.should_prune():
                    found.prune(claim)
                    ends[claim.ticket] = (away, epoch)
                    break
            else:
                found.finish(claim, away / 3)
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
    found = opened(space, ONE, method="random", trials=20)
    with found.place.locked(ONE):
        assert "too few" in importance(found.study, tuple(space)).reason
        while claim := found.claim():
            found.finish(claim, claim.values[RATE.path] + 1e-4 * claim.values[FILTERS.path])
    told = importance(found.study, tuple(space))
    assert told.reason is None
    assert list(told.parts) == [RATE.path, FILTERS.path]
    assert told.parts[RATE.path] > 0.8
    assert sum(told.parts.values()) == pytest.approx(1)
    assert "one parameter" in importance(found.study, (RATE,)).reason


def test_another_sweep_of_the_same_name_is_refused(opened):
    opened(BATCHES, ONE)
    with pytest.raises(UsageError, match="is another one") as raised:
        opened([*BATCHES, RATE], ONE, prune="none")
    assert f"over.{RATE.path}: – →" in raised.value.hint
    assert "prune" not in raised.value.hint
    with pytest.raises(UsageError) as raised:
        opened(BATCHES, ONE, seeds=2)
    assert raised.value.hint.splitlines()[1:] == ["seeds: 1 → 2"]


def test_how_many_trials(opened):
    definition = opened(BATCHES, ONE).definition
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
        storage.open_storage(url.format(tmp_path), Place(tmp_path))


def test_a_damaged_journal_is_told(tmp_path):
    place = Place(tmp_path / "sweep")
    place.make()
    path = tmp_path / "damaged.journal"
    path.write_text('{"op_code": nonsense\n{}\n')
    with pytest.raises(RunError, match="cannot use the storage"), storage.answering(None, place):
        optuna.create_study(storage=storage.open_storage(str(path), place))
    assert path.read_text() == '{"op_code": nonsense\n{}\n'


def test_no_password_is_shown(tmp_path):
    with pytest.raises(UsageError) as raised:
        storage.open_storage("nothing://me:secret@host/name", Place(tmp_path))
    assert "secret" not in raised.value.message
    assert "me:…@host" in raised.value.message
