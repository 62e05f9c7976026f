"""A trained network: what it was made from, its data, and its weights in a model."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from cnnctl import plugins
from cnnctl.arithmetic import trace
from cnnctl.arithmetic.checked import Checked
from cnnctl.compute.device import start_device
from cnnctl.compute.plan import Plan, choose
from cnnctl.compute.threads import compute_by
from cnnctl.data.images.folder_layout import find_layout
from cnnctl.data.named.sources import SOURCES
from cnnctl.data.names import canonical
from cnnctl.data.pixel_normalization import Normalization
from cnnctl.data.pixels import Range
from cnnctl.data.preparation import Prepared, prepare
from cnnctl.errors import CheckpointError, DataError
from cnnctl.io.arguments import AnyPath, as_flag, path_or_none
from cnnctl.io.notes import tell
from cnnctl.runs.checkpoint import read
from cnnctl.runs.run import Run
from cnnctl.specs import Spec


@dataclass(frozen=True)
class Trained:
    """A trained network on the disk.

    Args:
        source: The run, checkpoint or file that is meant, for messages.
        weights: The checkpoint folder or file.
        spec: What it was made from.
        run: The run that the weights belong to, if any.
        recorded: The run's `environment.json`; empty where the spec is another than the run's.
        normalization: As recorded beside the weights.
        replaceable: Whether another checkpoint may stand in for one that is damaged.
        pixels: The range of the training images' values; None where none is recorded.
        notes: What is worth knowing about how these belong together.
    """

    source: Path
    weights: Path
    spec: Spec
    run: Run | None
    recorded: dict[str, Any]
    normalization: Normalization | None
    replaceable: bool
    pixels: Range | None = None
    notes: tuple[str, ...] = ()

    def prepare(
        self, *, data_dir: AnyPath | None = None, full_data: bool = False, progress: Any = None
    ) -> Prepared:
        """The data that the network was trained beside.

        Raises:
            DataError: It cannot be found, or found is other data than was recorded.
        """
        data = prepare(
            self.spec,
            data_dir=path_or_none(data_dir, "data_dir"),
            full_data=as_flag(full_data, "full_data"),
            progress=progress,
            fixed=self.normalization,
            recorded=True,
        )
        if self.recorded:
            self._refuse_other(data)
        return data

    def _refuse_other(self, data: Prepared) -> None:
        """Refuse figures of a run on other images than it was trained beside.

        The 5,000-image sample of MNIST, say, is part of MNIST's training set.
        """
        recorded = self.recorded["data"]
        if recorded.get("fingerprint") != data.dataset.fingerprint:
            raise DataError(
                f"{self.source} was trained on {recorded.get('name')}, and found here is other "
                f"data: {data.dataset.name} ({data.dataset.origin})",
                hint="name the folder of the same data with --data-dir, or say that other data is "
                "meant: --spec SPEC",
            )

    def class_names(self, outputs: int) -> tuple[str, ...]:
        """The names of the classes, by number.

        Args:
            outputs: How many there are; where their names are not known, they are numbers.
        """
        names = self.recorded.get("data", {}).get("class_names")
        if isinstance(names, list) and all(isinstance(each, str) for each in names):
            known = tuple(map(canonical, names))
        else:
            data = self.spec.data
            source = SOURCES.get(data.dataset.name) if data else None
            known = source.class_names if source else _written(self.spec)
            if source and data and data.dataset.arguments.get("label") == "coarse":
                known = source.coarse_names
        return known if len(known) == outputs else tuple(map(str, range(outputs)))

    def shaped(self, input_shape: tuple[int, ...]) -> Checked:
        """The spec with the shapes of its layers for images of a shape."""
        return Checked(self.spec, trace(self.spec.graph, input_shape))

    def load(self, checked: Checked, images: int, device: str = "auto") -> Loaded:
        """Build the network and read its weights.

        Args:
            checked: Its spec, with the shapes of its layers: see `shaped`, or that of its data.
            images: How many will be computed.
            device: As in `cnnctl.train`.

        Raises:
            CheckpointError: The weights are damaged or not this network's.
        """
        spec = self.spec
        started = start_device(device, spec.seed, deterministic=spec.deterministic)
        plan = Plan()
        if spec.compile is not None:
            plan = choose(checked, images, on_gpu=started.on_gpu)
            plan = replace(plan, fused=False)  # no slots for an optimizer that updates nothing
        plan, unlike = compute_by(plan, started)
        tell(unlike)
        from cnnctl.network.averages import load_averaged
        from cnnctl.network.build import build
        from cnnctl.network.weights import limit_for

        model = build(spec, checked.input_shape)
        notes = [*self.notes, *unlike]
        notes += [
            f"the plug-in {name} is not as it was when the run began: {before}, now {now}"
            for name, before, now in plugins.changed(self.recorded.get("plugins") or ())
        ]
        weights = self.weights
        try:
            load_averaged(model, weights)
        except CheckpointError as error:
            other = _intact(self.run, limit_for(model)) if self.run and self.replaceable else None
            if other is None:
                raise
            notes.append(f"{error.message}; {other} is used instead")
            weights = other
            load_averaged(model, weights)
        return Loaded(model, plan, weights, tuple(notes))


@dataclass(frozen=True)
class Loaded:
    """A network with its weights.

    Args:
        model: Built, not compiled.
        plan: How it is computed.
        weights: Where they were read from.
        notes: What is worth knowing: another checkpoint than the best was taken, say.
    """

    model: Any
    plan: Plan
    weights: Path
    notes: tuple[str, ...]

    @property
    def checkpoint(self) -> str | None:
        """The checkpoint's name, where it is one of a run."""
        return self.weights.name if self.weights.is_dir() else None


def _written(spec: Spec) -> tuple[str, ...]:
    """The names of the classes, where a spec or the folder that it names has them."""
    dataset = spec.data.dataset if spec.data else None
    if dataset is None:
        return ()
    if dataset.name == "image_folder":
        folder = spec.data_base / Path(str(dataset.arguments.get("path"))).expanduser()
        with suppress(DataError):
            return find_layout(folder).class_names
        return ()
    names = dataset.arguments.get("class_names") if dataset.name == "inline" else None
    return tuple(canonical(str(name)) for name in names or ())


def _intact(run: Run, limit: int) -> Path | None:
    """The newest intact checkpoint of a run, none of whose files has more bytes than `limit`."""
    for path in reversed(run.checkpoints()):
        try:
            read(path, limit)
        except CheckpointError:
            continue
        return path
    return None
