"""docs/plugins.md as something that can be executed: its files, its commands, what these print."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import NamedTuple

BLOCK = re.compile(r"^```(\w*)\n(.*?)^```", re.DOTALL | re.MULTILINE)
FILE = re.compile(r"# (\S+\.\w+)\n")


class Screen(NamedTuple):
    """Commands of one block, and what the page shows of the last one's output."""

    commands: list[str]
    shown: str


def blocks(page: str) -> list[tuple[str, str]]:
    return BLOCK.findall(page)


def files(page: str) -> dict[str, str]:
    """Name → text of every file on the page: its first line is a comment with its name."""
    found = {}
    for language, text in blocks(page):
        if language:
            name = FILE.match(text)
            assert name, f"a block of {language} without a file's name: {text[:60]}"
            found[name[1]] = text
    return found


def screens(page: str) -> list[Screen]:
    found = []
    for language, text in blocks(page):
        if not language:
            lines = text.splitlines(keepends=True)
            commands = [line[2:].strip() for line in lines if line.startswith("$ ")]
            found.append(Screen(commands, "".join(x for x in lines if not x.startswith("$ "))))
    return found


def agrees(shown: str, printed: str) -> bool:
    """Whether a screen is what was printed; `…` stands for anything."""
    pattern = ".*?".join(map(re.escape, shown.strip().split("…")))
    return bool(re.fullmatch(pattern, printed.strip(), re.DOTALL))


def install(project: Path, site: Path) -> None:
    """What `pip install --target SITE PROJECT` leaves behind, of a package of single modules."""
    about = tomllib.loads((project / "pyproject.toml").read_text())
    name, version = about["project"]["name"], about["project"]["version"]
    info = site / f"{name.replace('-', '_')}-{version}.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
    lines = []
    for group, entries in about["project"]["entry-points"].items():
        lines += [f"[{group}]", *(f"{key} = {value}" for key, value in entries.items())]
    (info / "entry_points.txt").write_text("\n".join(lines) + "\n")
    for module in project.glob("*.py"):
        (site / module.name).write_text(module.read_text())
