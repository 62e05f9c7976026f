"""The specs that come with cnnctl: inside the package in a wheel, beside it in a checkout."""

from __future__ import annotations

from pathlib import Path

from cnnctl.catalog.suggest import nearest
from cnnctl.errors import UsageError
from cnnctl.io.arguments import AnyPath, as_path

_PACKAGE = Path(__file__).parent.parent
_PLACES = (_PACKAGE / "configs", _PACKAGE.parent / "configs")


def names() -> tuple[str, ...]:
    """Return what `find` takes, sorted: the files' names without their endings."""
    found = folder().rglob("*.yaml")
    return tuple(sorted(each.relative_to(folder()).with_suffix("").as_posix() for each in found))


def find(name: str) -> Path:
    """Return the path of a shipped spec, which may be named with its ending.

    Raises:
        UsageError: There is none of that name.
    """
    known = names()
    plain = name.removesuffix(".yaml")
    if plain in known:
        return folder() / f"{plain}.yaml"
    close = nearest(plain, known)
    lines = [f"did you mean {close}?"] if close else []
    lines.append(f"there are: {', '.join(known)}")
    raise UsageError(f"cnnctl comes with no spec `{name}`", hint="\n".join(lines))


def locate(given: AnyPath) -> Path:
    """Return the path that is meant: the name of a shipped spec where there is no such file, else
    the path as it is.

    Raises:
        UsageError: It is almost the name of a shipped one.
        TypeError: It is not a path.
    """
    path = as_path(given, "spec")
    if path.suffix or path.is_absolute() or path.exists():
        return path
    name, known = path.as_posix(), names()
    if name in known:
        return find(name)
    if len(path.parts) == 1 and (close := nearest(name, known)):
        raise UsageError(f"no such file: {path}", hint=f"did you mean {close}, a shipped spec?")
    return path


def has(path: Path) -> bool:
    """Return whether a file is one of them."""
    return folder().resolve() in path.resolve().parents


def folder() -> Path:
    """Return the folder in which they lie."""
    return next((place for place in _PLACES if place.is_dir()), _PLACES[0])
