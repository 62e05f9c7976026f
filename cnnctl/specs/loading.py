"""From a file on disk to a `Spec`: read, extend, override, validate."""

from __future__ import annotations

import gc
import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import NoReturn

from cnnctl import catalog as catalogs
from cnnctl.catalog import shipped
from cnnctl.errors import Diagnostic, Location, SpecError, UsageError
from cnnctl.io.arguments import as_texts
from cnnctl.specs import rules
from cnnctl.specs.graph import draft as draft_graph
from cnnctl.specs.merge import FLAG, merge, override
from cnnctl.specs.nodes import Mapping, Node, Scalar, describe
from cnnctl.specs.reader import read
from cnnctl.specs.schema_errors import name_of
from cnnctl.specs.source import MAX_BYTES, Source, may_be_shown, neighbour, read_source
from cnnctl.specs.spec import AnySpec, Spec
from cnnctl.specs.validate import validate

MAX_EXTENDS = 16
"""How long a chain of `extends` may be."""

MAX_TOGETHER = 2 * MAX_BYTES
"""How many characters the specs of a chain may have in all."""

LONGEST_MESSAGE = 300
"""After how many characters a message is cut."""

NOT_INHERITED = ("name", "description")
"""What a spec does not take from the one that it extends."""


_SECTIONS = "a spec has the sections `model`, `data`, `compile` and `fit`"


def load(path: AnySpec, overrides: str | Iterable[str] = (), *, recorded: bool = False) -> Spec:
    """Read and check a spec.

    Args:
        path: A YAML file, or the name of a shipped spec; a spec that is loaded stays as it is.
        overrides: Assignments such as `fit.epochs=3`, applied in order.
        recorded: Whether it is the spec of a run, which earlier rules let pass: see `still_told`.

    Raises:
        UsageError: There is no such file, or overrides for a spec that is loaded.
        SpecError: The spec has errors; all that were found, each with its place.
    """
    overrides = as_texts(overrides, "overrides")
    if isinstance(path, Spec):
        if overrides:
            raise UsageError(
                "overrides change a spec while it is read, and this one is loaded already",
                hint="cnnctl.load(path, overrides)",
            )
        return path
    path = shipped.locate(path)
    spec, found = draft(path, overrides)
    if recorded:
        found = still_told(found)
    if spec is None or found:
        raise SpecError(in_order(found, path, overrides))
    return spec


def still_told(found: Iterable[Diagnostic]) -> list[Diagnostic]:
    """The errors of a run's spec that stand in the way of reading the run.

    A run that an earlier version of cnnctl trained stays readable: rules made since then are for
    what is still to be trained, and for values that a flag sets.
    """
    return [
        each
        for each in found
        if each.rule not in rules.SINCE_RUNS or str(each.location).startswith(FLAG)
    ]


def in_order(
    found: Iterable[Diagnostic], path: str | Path, overrides: Sequence[str] = ()
) -> list[Diagnostic]:
    """Errors in the order of the file, then those of the files that it extends, then those of
    flags in theirs; one for each place."""
    flags = {f"{FLAG} {assignment}": index for index, assignment in enumerate(overrides)}
    first: dict[Location | None, Diagnostic] = {}
    for diagnostic in without_others(found, path):
        first.setdefault(diagnostic.location, diagnostic)

    def position(diagnostic: Diagnostic) -> tuple[int, bool, str, int, int]:
        place = diagnostic.location or Location(str(path))
        flag = flags.get(place.file, -1)
        return flag, place.file != str(path), place.file, place.line, place.column

    return [_brief(each) for each in sorted(first.values(), key=position)]


def without_others(found: Iterable[Diagnostic], path: str | Path) -> Iterator[Diagnostic]:
    """Errors without those of files that are not specs, whose text is nobody's business: one says
    so of each file."""
    shown: dict[str, bool] = {}
    for diagnostic in found:
        name = diagnostic.location.file if diagnostic.location else FLAG
        if name not in shown:
            shown[name] = name.startswith("--") or may_be_shown(
                Path(name), extended=name != str(path)
            )
            if not shown[name]:
                yield Diagnostic("not-a-spec", f"{name} is not a spec", Location(name), _SECTIONS)
        if shown[name]:
            yield diagnostic


def _brief(diagnostic: Diagnostic) -> Diagnostic:
    """A diagnostic without the pages that a text of the spec may have put into it."""
    if len(diagnostic.message) <= LONGEST_MESSAGE:
        return diagnostic
    return replace(diagnostic, message=f"{diagnostic.message[: LONGEST_MESSAGE - 1]}…")


def draft(path: str | Path, overrides: Iterable[str] = ()) -> tuple[Spec | None, list[Diagnostic]]:
    """Read a spec as far as can be, errors or not.

    Returns:
        The spec without what is wrong, or None if nothing can be made of it; and the errors.

    Raises:
        UsageError: There is no such file.
        SpecError: It is not YAML, or what it extends cannot be read.
    """
    with _without_collection():
        found: list[Diagnostic] = []
        path = Path(path)
        try:
            tree, sources = _extended(path, (), found, MAX_TOGETHER)
        except SpecError as error:
            raise SpecError(without_others(error.diagnostics, path)) from None
        return _draft(tree, path, sources, tuple(overrides), 0, found)


def redraft(spec: Spec, overrides: Iterable[str]) -> tuple[Spec | None, list[Diagnostic]]:
    """Apply further overrides to a spec that has passed, without reading its file again.

    Returns:
        As `draft`.
    """
    with _without_collection():
        overrides = (*spec.overrides, *overrides)
        applied = len(spec.overrides)
        return _draft(spec.tree, spec.path, spec.sources, overrides, applied, [])


@contextmanager
def _without_collection() -> Iterator[None]:
    """Look for no cycles: a tree has none, and a hundred thousand nodes at most, among which to
    look takes a third of the time."""
    collects = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if collects:
            gc.enable()


def _draft(
    tree: Node,
    path: Path,
    sources: tuple[Source, ...],
    overrides: tuple[str, ...],
    applied: int,
    found: list[Diagnostic],
) -> tuple[Spec | None, list[Diagnostic]]:
    """A spec of its tree; `applied` tells how many overrides the tree has already."""
    for assignment in overrides[applied:]:
        try:
            tree = override(tree, assignment)
        except SpecError as error:
            found.extend(error.diagnostics)
    document, wrong, doubtful = validate(tree, default_name(path), catalogs.load())
    found.extend(wrong)
    if document is None:
        return None, found
    assert isinstance(tree, Mapping)
    try:
        graph, wrong = draft_graph(document.model.layers)
    except SpecError as error:
        return None, [*found, *error.diagnostics]
    found.extend(wrong)
    if wrong:
        doubtful |= {"model.layers"}
    spec = Spec(
        name=document.name,
        description=document.description,
        seed=document.seed,
        deterministic=document.deterministic,
        data=document.data,
        model=document.model,
        graph=graph,
        compile=document.compile,
        fit=document.fit,
        tree=tree,
        path=path,
        sources=sources,
        overrides=overrides,
        doubtful=doubtful,
    )
    found.extend(rules.contradictions(spec))
    return spec, found


def default_name(path: Path) -> str:
    """A spec's name where it gives none: the file's."""
    return name_of(path.stem)


def _extended(
    path: Path, above: tuple[str, ...], found: list[Diagnostic], room: int
) -> tuple[Node, tuple[Source, ...]]:
    """The tree of a file laid over what it extends, and the texts read for it."""
    source = read_source(path)
    try:
        tree = read(source, found)
    except SpecError as error:
        raise SpecError([*found, *error.diagnostics]) from None
    if not (isinstance(tree, Mapping) and "extends" in tree.items):
        return tree, (source,)
    target = tree.items["extends"]
    items = {key: value for key, value in tree.items.items() if key != "extends"}
    tree = Mapping(items, tree.location, tree.keys)
    chain = (*above, os.path.realpath(path))
    if not (isinstance(target, Scalar) and isinstance(target.value, str)):
        fix = "write the path of one; that one may extend another"
        _fail(target, f"`extends` takes the path of a spec, not {describe(target)}", fix)
    parent = path.parent / str(target.value)
    if os.path.realpath(parent) in chain:
        _fail(target, f"{target.value} extends itself")
    if len(chain) >= MAX_EXTENDS:
        _fail(target, f"more than {MAX_EXTENDS} specs that extend one another")
    room -= len(source.text)
    if room <= 0:
        _fail(target, f"specs of more than {MAX_TOGETHER >> 10} KiB that extend one another")
    try:
        base, sources = _extended(parent, chain, found, room)
    except UsageError as error:
        close = neighbour(parent) if error.message.startswith("no such file") else None
        hint = f"did you mean `{Path(str(target.value)).parent / close}`?" if close else error.hint
        _fail(target, error.message, hint)
    except SpecError:
        if may_be_shown(parent, extended=True):
            raise
        _fail(target, f"{target.value} is not a spec", _SECTIONS)
    if not isinstance(base, Mapping):
        _fail(target, f"{target.value} is not a spec", _SECTIONS)
    kept = {key: value for key, value in base.items.items() if key not in NOT_INHERITED}
    return merge(Mapping(kept, base.location, base.keys), tree), (source, *sources)


def _fail(node: Node, message: str, hint: str | None = None) -> NoReturn:
    raise SpecError([Diagnostic("bad-extends", message, node.location, hint)])
