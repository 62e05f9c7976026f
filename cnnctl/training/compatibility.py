"""What a run may go on with: the same model, loss and optimizer, data and versions."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from importlib import metadata
from typing import Any

from cnnctl import plugins
from cnnctl.compat import runs_onednn
from cnnctl.compute.device import Device
from cnnctl.compute.threads import threads
from cnnctl.data.preparation import Prepared
from cnnctl.errors import UsageError
from cnnctl.specs import Spec
from cnnctl.specs.difference import differences
from cnnctl.specs.dump import flow
from cnnctl.specs.schedules import make

KINDS = ("model", "compile", "data", "fit", "seed", "versions", "plugins")
"""What `--allow` may name."""

VERSIONS = ("tensorflow", "keras", "numpy")
"""The packages whose versions decide about bits."""

_OF_NO_CONSEQUENCE = ("name", "description", "fit.epochs", "fit.keep", "model.input_shape",
                      "compile.steps_per_execution", "fit.distribute",
                      "data.dataset.image_folder.split",
                      "data.dataset.image_folder.split_seed")  # fmt: skip


@dataclass(frozen=True)
class Change:
    """Something that is not as it was when the run began.

    Args:
        kind: One of `KINDS`.
        what: Its name: a path in the spec, a package.
        before: As the run has it.
        now: As it is now.
    """

    kind: str
    what: str
    before: str
    now: str

    def __str__(self) -> str:
        return f"{self.what}: {self.before} in the run, {self.now} now"


def of_spec(before: Spec, now: Spec) -> Iterator[Change]:
    """What two specs differ in, apart from what the epochs to come do not depend on."""
    for each in differences(before, now):
        if each.path in _OF_NO_CONSEQUENCE or each.path.endswith(".path"):
            continue  # of a data set's path only the images count, as of a folder's split
        section = each.path.split(".")[0]
        kind = section if section in KINDS else "seed"
        values = [flow(o.value) if o else "nothing" for o in (each.before, each.after)]
        yield Change(kind, each.path, *values)


def of_data(environment: dict[str, Any], data: Prepared) -> Iterator[Change]:
    """Whether the images are others."""
    known = environment.get("data")
    recorded = known if isinstance(known, dict) else {}
    if recorded.get("fingerprint") != data.dataset.fingerprint:
        before = f"{recorded.get('name')} ({str(recorded.get('fingerprint'))[:12]})"
        now = f"{data.dataset.name} ({data.dataset.fingerprint[:12]})"
        yield Change("data", "pictures", before, now)


def of_versions(environment: dict[str, Any]) -> Iterator[Change]:
    """Which packages have another version."""
    known = environment.get("versions")
    recorded = known if isinstance(known, dict) else {}
    for package in VERSIONS:
        now = metadata.version(package)
        if recorded.get(package) != now:
            yield Change("versions", package, str(recorded.get(package)), now)


def of_plugins(environment: dict[str, Any]) -> Iterator[Change]:
    """Which plug-ins have another text than when the run began."""
    for name, before, now in plugins.changed(environment.get("plugins") or ()):
        yield Change("plugins", name, before, now)


def of_machine(environment: dict[str, Any], device: Device, replicas: int) -> Iterator[str]:
    """What else may change the last bits, in words: it is said, and not refused."""
    recorded = environment.get("device")
    together = environment.get("distribution")
    before = together.get("replicas") if isinstance(together, dict) else 1
    if before != replicas:
        yield (
            f"{_devices(before)} computed each batch, and {_devices(replicas)} from now on: "
            "the last bits may differ"
        )
    elif isinstance(recorded, dict) and recorded != asdict(device):
        was = Device(str(recorded.get("name")), str(recorded.get("description")))
        yield f"the device was {was}, and is {device}: the last bits may differ"
    elif environment.get("threads") not in (None, threads()):
        yield "the number of threads is not what it was: the last bits may differ"
    onednn = environment.get("onednn")
    if onednn in ("0", "1") and onednn != str(int(runs_onednn())):
        words = ("on", "off") if onednn == "1" else ("off", "on")
        yield f"oneDNN was {words[0]}, and is {words[1]}: the last bits may differ"


def _devices(count: object) -> str:
    return "one device" if count == 1 else f"{count} devices"


def of_schedules(spec: Spec, planned: int, done: int) -> Iterator[str]:
    """Where more epochs would have meant other learning rates from the first epoch on."""
    for callback in spec.fit.callbacks:
        if callback.name != "LearningRateScheduler" or spec.fit.epochs == planned:
            continue
        schedule = callback.arguments["schedule"]
        before, now = make(schedule, planned), make(schedule, spec.fit.epochs)
        if any(before(epoch, 0.001) != now(epoch, 0.001) for epoch in range(done)):
            yield (
                f"the learning rate depends on the number of epochs: the {done} that are done had "
                f"the rates of {planned}, those to come have the rates of {spec.fit.epochs}"
            )


def refuse(changes: Iterable[Change], allowed: Iterable[str], run: object) -> list[Change]:
    """The changes, if all of them are allowed.

    Raises:
        UsageError: One is not; both values are named.
    """
    changes, allowed = list(changes), set(allowed)
    refused = [change for change in changes if change.kind not in allowed]
    if refused:
        kinds = list(dict.fromkeys(change.kind for change in refused))
        flags = " ".join(f"--allow {kind}" for kind in kinds)
        lines = [*map(str, refused), f"{flags} goes on all the same, with what there is now"]
        raise UsageError(f"{run} cannot go on as the same training", hint="\n".join(lines))
    return changes
