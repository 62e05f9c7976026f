"""The `Spec`: a spec as it is once it has been read and checked."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from cnnctl.errors import Diagnostic, Location, SpecError
from cnnctl.io.arguments import AnyPath
from cnnctl.specs.components import Component
from cnnctl.specs.graph import Graph
from cnnctl.specs.nodes import Mapping, Node
from cnnctl.specs.sections import Compile, Data, Fit, Model
from cnnctl.specs.source import Source


@dataclass(frozen=True)
class Spec:
    """A spec that has passed every check that needs no shapes.

    Args:
        name: Names the run folder.
        description: One line for people.
        seed: Fixes weights, shuffling, dropout and augmentation.
        deterministic: Whether only operations that give the same bits every time are used.
        data: The images, if the spec has any.
        model: The network as written.
        graph: The network with its blocks written out.
        compile: Loss and optimizer, if the spec has any.
        fit: Length and batches of a training.
        tree: The merged document, every value with its place.
        path: The file.
        sources: The texts that it was made from: the file first, then what it extends.
        overrides: The `--set` assignments.
        doubtful: In a draft that has errors, the dotted keys of what was left out for them.
    """

    name: str
    description: str | None
    seed: int
    deterministic: bool
    data: Data | None
    model: Model
    graph: Graph
    compile: Compile | None
    fit: Fit
    tree: Mapping
    path: Path
    sources: tuple[Source, ...]
    overrides: tuple[str, ...] = ()
    doubtful: frozenset[str] = frozenset()

    @property
    def data_base(self) -> Path:
        """The folder from which a relative path of the data set starts: that of the file in which
        it is written, or the current one where a flag gives it."""
        place = self.data.dataset.place("path") if self.data else self.tree.location
        return Path() if place.file.startswith("--") else Path(place.file).parent

    def components(self) -> Iterator[Component]:
        """Everything that the spec names, at any depth."""
        named = [*self.model.layers, *self.fit.callbacks]
        if self.data:
            named.append(self.data.dataset)
        if self.compile:
            named += [self.compile.optimizer, self.compile.loss, *self.compile.metrics]
        for component in named:
            yield component
            yield from component.parts()

    def place(self, *path: str) -> Location:
        """Where the value at a path of keys is written."""
        node: Node = self.tree
        for key in path:
            if isinstance(node, Mapping) and key in node.items:
                node = node.items[key]
        return node.location

    def require(self, *sections: str) -> None:
        """Raise a `SpecError` that names the sections among these that the spec lacks."""
        missing = [name for name in sections if getattr(self, name) is None]
        if missing:
            raise SpecError(
                Diagnostic(
                    "missing-key",
                    f"`{name}` is missing: training and evaluation need it",
                    self.tree.location,
                    f"add `{name}:`",
                )
                for name in missing
            )


AnySpec: TypeAlias = "Spec | AnyPath"
"""A spec, the path of its file, or the name of a shipped one."""
