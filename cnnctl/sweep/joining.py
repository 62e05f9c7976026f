"""From a request to the study of the sweep: made by the first process, joined by the others."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from cnnctl.errors import UsageError
from cnnctl.sweep import checks, storage
from cnnctl.sweep.definition import Definition, count_trials, define, refuse_others
from cnnctl.sweep.drawing import pruner
from cnnctl.sweep.ranges import read_ranges
from cnnctl.sweep.space import join as joined
from cnnctl.sweep.space import parse_over
from cnnctl.sweep.storage import SWEEPS, Place
from cnnctl.sweep.values import Request, Task

if TYPE_CHECKING:
    import optuna


def settle(request: Request, *, again: bool = False) -> Definition:
    """What is varied, checked, and what the sweep is.

    Args:
        request: What the user asks for.
        again: Whether the values were checked before.

    Raises:
        UsageError, SpecError: See `sweep`.
    """
    ranges = read_ranges(request.ranges) if request.ranges else []
    space = joined([*parse_over(request.over), *ranges])
    if not space:
        raise UsageError(
            "nothing is varied", hint="such as --over fit.batch_size=32,64, or --ranges FILE"
        )
    set_twice = {each.partition("=")[0].strip() for each in request.overrides}
    for each in space:
        if each.path in set_twice:
            raise UsageError(
                f"{each.path} is varied, and set by a flag", hint="leave one of the two away"
            )
    spec = checks.check(request.spec, request.overrides, () if again else space)
    definition = define(
        spec,
        space,
        method=request.method,
        seeds=request.seeds,
        prune=request.prune,
        monitor=checks.monitor_of(spec, request.monitor),
    )
    count_trials(definition, request.trials, 0)
    return definition


def open_study(
    definition: Definition, name: str, url: str | None, place: Place, trials: int | None
) -> optuna.Study:
    """Make the study of a sweep, or open it where it is there.

    Raises:
        UsageError: It is there, and another one.
        RunError: The storage cannot be used.
    """
    with place.locked("claim"), storage.answering(url, place):
        opened = storage.open_storage(url, place)
        import optuna

        study = optuna.create_study(
            study_name=name,
            storage=opened,
            direction="maximize" if definition.maximize else "minimize",
            pruner=pruner(definition),
            load_if_exists=True,
        )
        known = study.user_attrs
        if isinstance(known.get("definition"), dict):
            refuse_others(name, known["definition"], definition.to_dict())
        elif study.get_trials(deepcopy=False):
            raise UsageError(
                f"the storage has a study {name} that is not cnnctl's", hint="--name OTHER"
            )
        else:
            study.set_user_attr("definition", definition.to_dict())
        count = count_trials(definition, trials, int(known.get("trials", 0)))
        if count != known.get("trials"):
            study.set_user_attr("trials", count)
        return study


def join(task: Task) -> tuple[Definition, Place, optuna.Study]:
    """What a worker works at.

    Raises:
        UsageError: The spec was changed since the sweep began.
    """
    request = Request(
        spec=Path(task.spec),
        overrides=task.overrides,
        over=task.over,
        ranges=Path(task.ranges) if task.ranges else None,
        method=task.method,
        seeds=task.seeds,
        prune=task.prune,
        monitor=task.monitor,
    )
    definition = settle(request, again=True)
    refuse_others(task.name, task.definition, definition.to_dict())
    place = Place(Path(task.runs_dir) / SWEEPS / task.name)
    study = open_study(definition, task.name, task.storage, place, None)
    return definition, place, study
