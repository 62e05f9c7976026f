"""The stored catalog against the installed Keras."""

import inspect
import json

import keras
import pytest

from cnnctl.catalog import allowed, generate, managed
from cnnctl.catalog.catalog import STORED
from cnnctl.catalog.generate import _snake

CLASS_KINDS = [kind for kind in allowed.MODULES if kind not in ("activation", "cell")]


@pytest.fixture(scope="module")
def generated():
    return generate.generate()


def test_the_stored_catalog_is_that_of_the_installed_keras(generated):
    assert generated == json.loads(STORED.read_text()), "make catalog"


def test_check_says_what_differs_and_how_to_refresh_it(generated, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(generate, "generate", lambda: generated)
    monkeypatch.setattr(generate, "STORED", tmp_path / "keras.json")
    assert generate.main([]) == 0
    assert generate.main(["--check"]) == 0
    stored = (tmp_path / "keras.json").read_text()
    (tmp_path / "keras.json").write_text(stored.replace('"name": "filters"', '"name": "maps"'))
    assert generate.main(["--check"]) == 1
    printed = capsys.readouterr().out
    assert '"name": "maps"' in printed
    assert '"name": "filters"' in printed
    assert "make catalog" in printed


@pytest.mark.parametrize("kind", CLASS_KINDS)
def test_every_public_class_is_allowed_an_alias_or_refused_with_a_reason(kind):
    from cnnctl.catalog import load

    module = keras
    for part in allowed.MODULES[kind].split("."):
        module = getattr(module, part)
    catalog = load()
    for name, value in vars(module).items():
        if inspect.isclass(value):
            known = catalog.find(kind, name)
            assert bool(known) != bool(catalog.refusal(kind, name)), name


def test_a_class_that_keras_adds_has_to_be_decided_on(monkeypatch):
    monkeypatch.setattr(keras.constraints, "Newcomer", type("Newcomer", (), {}), raising=False)
    with pytest.raises(ValueError, match="neither allowed nor refused: \\['Newcomer'\\]"):
        generate._check_lists("constraint")


def test_an_argument_without_a_rule_is_named():
    from cnnctl.catalog.argument_rules import schema_of

    with pytest.raises(KeyError, match=r"Conv2D\.newcomer"):
        schema_of("layer", "Conv2D", "newcomer", default=1, required=False)


def test_every_reason_for_a_managed_argument_is_about_an_argument_of_keras():
    for (kind, name), reasons in managed._OF_CLASS.items():
        described = getattr(getattr(keras, allowed.MODULES[kind]), name)
        assert set(reasons) <= set(inspect.signature(described.__init__).parameters)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("MeanSquaredError", "mean_squared_error"),
        ("KLDivergence", "kl_divergence"),
        ("L1L2", "l1_l2"),
        ("HeNormal", "he_normal"),
    ],
)
def test_snake_case(name, expected):
    assert _snake(name) == expected
