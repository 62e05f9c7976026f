"""From a request to the study of the sweep: made by the first process, opened by the others."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cnnctl.errors import UsageError
from cnnctl.specs import Spec
from cnnctl.sweep import storage, value_checks
from cnnctl.sweep.definition import Definition, count_trials, define, refuse_others
from cnnctl.sweep.ranges import read_ranges
from cnnctl.sweep.request import Request
from cnnctl.sweep.sampling import pruner
from cnnctl.sweep.space import join, parse_over
from cnnctl.sweep.sweep_folder import SweepFolder
from cnnctl.sweep.trials import Trials

if TYPE_CHECKING:
    import optuna


def settle(request: Request, *, values_checked: bool = False) -> tuple[Definition, Spec]:
    """What is varied, checked, and what the sweep is.

    Args:
        request: What the user asks for.
        values_checked: Whether the values were checked before.

    Returns:
        What the sweep is, and the spec without its values.

    Raises:
        UsageError, SpecError: See `sweep`.
    """
    ranges = read_ranges(request.ranges) if request.ranges else []
    space = join([*parse_over(request.over), *ranges])
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
    spec = value_checks.check(request.spec, request.overrides, () if values_checked else space)
    definition = define(
        spec,
        space,
        method=request.method,
        seeds=request.seeds,
        prune=request.prune,
        monitor=value_checks.monitor_of(spec, request.monitor),
    )
    count_trials(definition, request.trials, 0)
    return definition, spec


def open_trials(
    definition: Definition, name: str, url: str | None, folder: SweepFolder, trials: int | None
) -> Trials:
    """Make the study of a sweep, or open it where it is there.

    Raises:
        UsageError: It is there, and another one.
        RunError: The storage cannot be used.
    """
    with folder.lock("study"), storage.answering(url, folder):
        opened = storage.open_storage(url, folder)
        import optuna

        study = optuna.create_study(
            study_name=name,
            storage=opened,
            direction="maximize" if definition.maximize else "minimize",
            pruner=pruner(definition),
            load_if_exists=True,
        )
        _agree(study, definition, name, trials)
    return Trials(study, definition, folder, journal=storage.is_journal(url))


def _agree(study: optuna.Study, definition: Definition, name: str, trials: int | None) -> None:
    """Note in a study what the sweep is, or see whether it is the same.

    Raises:
        UsageError: It is another one.
    """
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
