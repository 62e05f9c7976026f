"""docs/plugins.md is true: its files are written, its commands run, its screens compared."""

import os
import shlex

import numpy as np
import pytest
from conftest import ROOT

from . import page

PAGE = (ROOT / "docs/plugins.md").read_text()
SITE = "site"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A folder with every file of the page, and the package installed below `site`."""
    folder = tmp_path_factory.mktemp("page")
    for name, text in page.files(PAGE).items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(text)
    (folder / "my-parts/my_parts.py").write_text((folder / "my_parts.py").read_text())
    page.install(folder / "my-parts", folder / SITE)
    (folder / "raw").mkdir()
    np.zeros(4 * 36, np.uint8).tofile(folder / "raw/pixels.raw")
    np.array([0, 1, 1, 0], np.uint8).tofile(folder / "raw/labels.raw")
    return folder


def test_every_command_prints_what_the_page_shows(folder, cnnctl):
    """In the order of the page, since one needs what another made."""
    installed, seen = False, 0
    for screen in page.screens(PAGE):
        installed |= " ".join(shlex.split(screen.commands[0])[1:]) == "check stripes.yaml"
        for command in screen.commands:
            # The last one is about a package that is missing.
            has_package = installed and "evaluate again" not in command
            places = [str(ROOT), *([str(folder / SITE)] if has_package else [])]
            env = {"PYTHONPATH": os.pathsep.join(places), "COLUMNS": "90"}
            done = cnnctl(*shlex.split(command)[1:], cwd=folder, env=env)
            assert "Traceback" not in done.stderr
        if screen.shown.strip():
            printed = done.stdout + done.stderr
            assert page.agrees(screen.shown, printed), f"{command}\n{printed}"
            seen += 1
        else:
            assert done.returncode == 0, done.stderr
    assert seen >= 9


def test_the_readme_leads_here():
    assert "(docs/plugins.md)" in (ROOT / "README.md").read_text()
