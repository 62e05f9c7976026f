"""Every function of the package, called as people call it: a path in either form, a spec by its
path, by its name or loaded, one text where a list is taken."""

import inspect
from pathlib import Path

import numpy as np
import pytest
from conftest import CONFIGS, XO
from PIL import Image

import cnnctl
from cnnctl.errors import CnnctlError, SpecError, UsageError
from cnnctl.io.arguments import as_path
from cnnctl.specs import Spec

FORMS = [str, Path]


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """A folder with a spec, a run of an epoch (in `r2`, by texts alone), and a picture."""
    folder = tmp_path_factory.mktemp("python")
    (folder / "x.yaml").write_text(XO)
    Image.fromarray(np.zeros((9, 9), np.uint8)).save(folder / "a.png")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        result = cnnctl.train(
            "x.yaml", overrides="fit.epochs=1", runs_dir="r2", data_dir=str(folder), device="cpu"
        )
    assert result.run.path == Path("r2/tiny/001")
    return folder, result


@pytest.fixture
def place(trained, monkeypatch):
    folder, _ = trained
    monkeypatch.chdir(folder)
    return folder


CLASSES = {
    "CnnctlError",
    "Observer",
    "Call",
    "Formula",
    "Link",
    "NoFormula",
    "Outcome",
    "Refusal",
    "Weight",
    "same",
}


def test_every_name_is_there():
    assert set(cnnctl.__all__) == set(dir(cnnctl)) == {
        *CLASSES, "check", "diff", "evaluate", "load", "new", "predict", "predict_split",
        "register", "reproduce", "resume", "schema", "summarize", "train",
    }  # fmt: skip


@pytest.mark.parametrize("name", sorted({*cnnctl.__all__} - CLASSES))
def test_every_argument_is_written_out(name):
    """An editor completes them, and a misspelled one is a TypeError that names it."""
    function = getattr(cnnctl, name)
    for parameter in inspect.signature(function).parameters.values():
        assert parameter.kind not in (parameter.VAR_KEYWORD, parameter.VAR_POSITIONAL)
    with pytest.raises(TypeError, match="unexpected keyword argument 'nonsense'"):
        function(nonsense=1)


@pytest.mark.parametrize("form", FORMS)
def test_the_paths_of_specs(form, place):
    loaded = cnnctl.load(form("x.yaml"), ["seed=5"])
    assert isinstance(loaded, Spec)
    assert loaded.seed == 5
    # 3·3·1·4 + 4 and (3·3·4 = 36)·2 + 2
    assert cnnctl.check(form("x.yaml")).trace.total == 114
    assert cnnctl.summarize(form("x.yaml"), overrides="seed=1").total == 114
    (change,) = cnnctl.diff(form("x.yaml"), loaded)
    assert (change.path, change.after.value) == ("seed", 5)
    assert {each.path for each in cnnctl.diff(form("r2/tiny"), form("x.yaml"))} == {"fit.epochs"}


def test_a_spec_by_name_and_loaded(place):
    spec = cnnctl.load("xo")
    assert spec.path.resolve() == (CONFIGS / "xo.yaml").resolve()
    assert cnnctl.load(spec) is spec
    totals = {
        cnnctl.summarize(each).total for each in ("xo", Path("xo"), CONFIGS / "xo.yaml", spec)
    }
    assert totals == {140}  # 3·3·1·3 + 3, 3·3·3·3 + 3, 12·2 + 2
    assert {cnnctl.check(each).trace.total for each in ("xo", spec)} == {140}
    assert cnnctl.diff("xo", spec) == []


def test_a_loaded_spec_is_checked_as_its_file_is(place):
    (place / "wide.yaml").write_text(XO.replace("units: 2", "units: 5"))
    for given in ("wide.yaml", cnnctl.load("wide.yaml")):
        with pytest.raises(SpecError, match="the network has 5 outputs"):
            cnnctl.check(given)


@pytest.mark.parametrize("form", FORMS)
def test_new(form, place):
    started = cnnctl.new(form(f"of_{form.__name__}"), like=form("x.yaml"))
    assert cnnctl.summarize(started.path).total == 114
    assert cnnctl.new(form(f"by_name_{form.__name__}"), form("xo")).trains
    started = cnnctl.new(form(f"of_spec_{form.__name__}"), cnnctl.load("x.yaml", ["seed=77"]))
    assert cnnctl.load(started.path).seed == 77


@pytest.mark.parametrize("form", FORMS)
def test_a_trained_network(form, place, trained):
    _, result = trained
    expected = result.evaluation.figures
    source = form("r2/tiny/001")
    assert cnnctl.evaluate(source, data_dir=form(".")).figures == pytest.approx(expected)
    assert cnnctl.evaluate(form("r2/tiny"), checkpoint=1).figures == pytest.approx(expected)
    weights = form("r2/tiny/001/model.keras")
    for spec in (form("x.yaml"), cnnctl.load("x.yaml")):
        assert cnnctl.evaluate(weights, spec=spec).figures == pytest.approx(expected)
    one = cnnctl.predict(source, form("a.png"), data_dir=form("."))
    several = cnnctl.predict(source, [form("a.png"), Path("a.png"), "a.png"])
    assert one.names == ("a.png",)
    assert several.names == ("a.png",) * 3
    np.testing.assert_allclose(several.outputs, np.repeat(one.outputs, 3, 0), atol=1e-6)
    assert len(cnnctl.predict_split(source, data_dir=form(".")).x) == 40


def test_a_run_is_a_path_too(place, trained):
    _, result = trained
    found = cnnctl.evaluate(result.run)
    assert found.figures == pytest.approx(result.evaluation.figures)


@pytest.mark.parametrize("form", FORMS)
def test_what_goes_on_and_again(form, place):
    source = form("r2/tiny/001")
    resumed = cnnctl.resume(source, spec=form("r2/tiny/001/spec.yaml"), data_dir=form("."))
    assert resumed.unchanged
    assert cnnctl.resume(form("r2/tiny"), overrides="fit.epochs=1", allow="versions").unchanged
    again = cnnctl.reproduce(source, epochs=1, data_dir=form("."), device="cpu")
    assert again.same


def test_schema_and_register():
    assert cnnctl.schema()["$id"] == "urn:cnnctl:spec"
    with pytest.raises(TypeError, match="`catalog` takes a catalog, not str"):
        cnnctl.schema("x.yaml")
    with pytest.raises(TypeError, match="not one text"):
        cnnctl.register(class_names="ab")
    with pytest.raises(UsageError, match="cannot be registered"):
        cnnctl.register("Scale")


PATHS = {
    "check": ("spec", cnnctl.check), "load": ("spec", cnnctl.load),
    "summarize": ("spec", cnnctl.summarize), "train": ("spec", lambda x: cnnctl.train(x)),
    "diff": ("spec", lambda x: cnnctl.diff("xo", x)), "new": ("name", cnnctl.new),
    "like": ("like", lambda x: cnnctl.new("fresh", x)),
    "evaluate": ("source", cnnctl.evaluate), "split": ("source", cnnctl.predict_split),
    "predict": ("source", lambda x: cnnctl.predict(x, "a.png")),
    "files": ("files", lambda x: cnnctl.predict("r2/tiny", x)),
    "resume": ("run", lambda x: cnnctl.resume(x)),
    "reproduce": ("run", lambda x: cnnctl.reproduce(x)),
    "runs_dir": ("runs_dir", lambda x: cnnctl.train("x.yaml", runs_dir=x)),
    "data_dir": ("data_dir", lambda x: cnnctl.train("x.yaml", data_dir=x)),
    "of_evaluation": ("data_dir", lambda x: cnnctl.evaluate("r2/tiny", data_dir=x)),
    "spec": ("spec", lambda x: cnnctl.evaluate("r2/tiny", spec=x)),
}  # fmt: skip


@pytest.mark.parametrize("name", PATHS)
def test_what_is_no_path(name, place):
    what, call = PATHS[name]
    for wrong in (3, b"x.yaml", 1.5):
        with pytest.raises(TypeError, match=rf"`{what}` takes a path \(str or Path\), not "):
            call(wrong)
    with pytest.raises(CnnctlError, match=r"null character|cannot name"):
        call("a\0b")
    with pytest.raises(CnnctlError):
        call("")


CHOICES = {
    "split": lambda x: cnnctl.evaluate("r2/tiny", split=x),
    "split of predictions": lambda x: cnnctl.predict_split("r2/tiny", x),
    "device": lambda x: cnnctl.evaluate("r2/tiny", device=x),
    "device of a training": lambda x: cnnctl.train("x.yaml", device=x, runs_dir="r3"),
    "checkpoint": lambda x: cnnctl.evaluate("r2/tiny", checkpoint=x),
    "allow": lambda x: cnnctl.resume("r2/tiny", allow=x),
}


@pytest.mark.parametrize("name", CHOICES)
def test_what_is_no_choice(name, place):
    for wrong in ("tset", "", "__class__", "name"):
        with pytest.raises(UsageError) as caught:
            CHOICES[name](wrong)
        told = f"{caught.value.message} {caught.value.hint}"
        assert {"s": "validation", "d": "cpu", "c": "best", "a": "versions"}[name[0]] in told
    if name != "checkpoint":  # which may be a number
        with pytest.raises(TypeError, match=f"`{name.split()[0]}` takes "):
            CHOICES[name](3)


def test_flags(place):
    for call in (
        lambda: cnnctl.predict("r2/tiny", "a.png", invert="no"),
        lambda: cnnctl.predict("r2/tiny", "a.png", centre="no"),
        lambda: cnnctl.evaluate("r2/tiny", full_data="no"),
        lambda: cnnctl.train("x.yaml", finish_epoch="no", runs_dir="r3"),
    ):
        with pytest.raises(TypeError, match=r"takes True or False, not str \('no'\)"):
            call()
    assert not Path("r3").exists()


def test_files_that_are_no_paths():
    for wrong in ({"a.png": 1}, b"a.png", bytearray(b"a.png"), [b"a.png"]):
        with pytest.raises(
            TypeError, match=r"`files` takes (a path|paths).*, not (dict|bytes|byt)"
        ):
            cnnctl.predict("r2/tiny", wrong)


@pytest.mark.parametrize("form", FORMS)
def test_the_home_of_the_user(form, tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    assert as_path(form("~/x"), "runs_dir") == tmp_path / "x"
    assert as_path(form("~"), "runs_dir") == tmp_path
    for kept in ("~x", "a/~/x", "x~"):
        assert as_path(form(kept), "runs_dir") == Path(kept)
    (tmp_path / "x.yaml").write_text(XO)
    assert cnnctl.check(form("~/x.yaml")).spec.name == "tiny"
    cnnctl.new(form("~/mine"))
    assert (tmp_path / "mine.yaml").is_file()
    assert not (tmp_path / "~").exists()


def test_epochs_are_short_for_an_override(place, tmp_path):
    result = cnnctl.train("x.yaml", epochs=1, runs_dir=tmp_path, device="cpu")
    assert [row["epoch"] for row in result.history] == [1]
    resumed = cnnctl.resume(result.run, epochs=2, device="cpu")
    assert [row["epoch"] for row in resumed.history] == [1, 2]
    assert cnnctl.load(result.run.path / "spec.yaml").fit.epochs == 2
    # A spec that is named takes them as well.
    assert cnnctl.resume(result.run, spec="x.yaml", epochs=2).unchanged
    with pytest.raises(UsageError, match="has 2 epochs already, which is more than 1"):
        cnnctl.resume(result.run, epochs=1)
    for wrong in ("3", 1.5, True):
        with pytest.raises(TypeError, match="`epochs` takes a whole number"):
            cnnctl.train("x.yaml", epochs=wrong)
    for call in (cnnctl.train, cnnctl.resume, cnnctl.reproduce):
        with pytest.raises(UsageError, match="`epochs` is 0"):
            call("x.yaml" if call is cnnctl.train else result.run, epochs=0)


def test_other_arguments(place):
    for wrong in ({"fit.epochs": 3}, [3], 3):
        for call in (cnnctl.load, cnnctl.check, cnnctl.summarize):
            with pytest.raises(TypeError, match="`overrides` takes texts"):
                call("x.yaml", wrong)
    with pytest.raises(UsageError, match="loaded already"):
        cnnctl.train(cnnctl.load("x.yaml"), overrides=["fit.epochs=3"])
    with pytest.raises(UsageError, match="`files` is empty"):
        cnnctl.predict("r2/tiny", [])
    with pytest.raises(CnnctlError, match="no such file") as caught:
        cnnctl.train("mnst")
    assert "did you mean mnist" in caught.value.hint
    assert not Path("runs").exists()
