"""The JSON Schema and the validator, held against each other through the `jsonschema` package."""

import json
import math

import jsonschema
import pytest
from cli.test_bad_specs import ERRORS
from conftest import CONFIGS, ROOT, XO, examples
from hypothesis import given
from hypothesis import strategies as st

from cnnctl.catalog import KINDS, Argument, Catalog, Entry, load
from cnnctl.catalog.catalog import STORED
from cnnctl.catalog.own import OWN
from cnnctl.errors import Location, SpecError
from cnnctl.specs import load as load_spec
from cnnctl.specs.checker import Checker
from cnnctl.specs.json_schema import schema_text, spec_schema
from cnnctl.specs.merge import merge
from cnnctl.specs.nodes import Mapping, Scalar, Sequence, plain
from cnnctl.specs.reader import read
from cnnctl.specs.source import read_source, text_source
from cnnctl.specs.validate import validate

CORPUS = sorted((ROOT / "tests/corpus").rglob("*.yaml"))
SCHEMA = spec_schema(load())
VALIDATOR = jsonschema.Draft7Validator(SCHEMA)
# Kinds that stand in a spec by themselves; a block stands where a layer does.
POSITIONS = [kind for kind in KINDS if kind != "block"]

FULL = XO.replace(
    "{learning_rate: 0.01}",
    "{learning_rate: {CosineDecay: {initial_learning_rate: 0.01, decay_steps: 50}}, beta_1: 0.8}",
).replace("{xo: {count: 120, test_count: 40, translate: 1}}", "{npz: {path: pictures.npz}}")


def as_json(value):
    """A value as JSON has it, where 1.0 is 1: the one thing in which the two differ on purpose."""
    if isinstance(value, dict):
        return {key: as_json(each) for key, each in value.items()}
    if isinstance(value, list):
        return [as_json(each) for each in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value


def nodes(value):
    """A tree of plain values, with places that do not matter."""
    place = Location("test")
    if isinstance(value, dict):
        items = {key: nodes(each) for key, each in value.items()}
        return Mapping(items, place, dict.fromkeys(items, place))
    if isinstance(value, list):
        return Sequence(tuple(map(nodes, value)), place)
    return Scalar(value, place)


def tree_of(text):
    return read(text_source(text, "test"))


def accepted_by_cnnctl(value):
    return not validate(nodes(value), "test", load())[1]


def is_finite(value):
    if isinstance(value, dict | list):
        return all(map(is_finite, value.values() if isinstance(value, dict) else value))
    return not isinstance(value, float) or math.isfinite(value)


def assert_same_verdict(text):
    value = plain(tree_of(text))
    if not is_finite(value):  # JSON has no such numbers
        assert not accepted_by_cnnctl(value)
        return
    value = as_json(value)
    errors = [error.message for error in VALIDATOR.iter_errors(value)]
    assert accepted_by_cnnctl(value) == (not errors), errors


def test_it_is_a_schema():
    jsonschema.Draft7Validator.check_schema(SCHEMA)
    assert json.loads(schema_text(SCHEMA)) == SCHEMA
    text = json.dumps(SCHEMA)
    for name in SCHEMA["definitions"]:
        assert f'"#/definitions/{name}"' in text, f"nothing refers to {name}"


@pytest.mark.parametrize("path", sorted(CONFIGS.rglob("*.yaml")), ids=lambda path: path.stem)
def test_it_accepts_every_shipped_spec(path):
    assert list(VALIDATOR.iter_errors(plain(read(read_source(path))))) == []


@pytest.mark.parametrize("name", ERRORS)
def test_it_says_of_a_faulty_spec_what_the_validator_says(name):
    (old, new), *_ = ERRORS[name]
    assert_same_verdict(XO.replace(old, new))


@pytest.mark.parametrize("name", ERRORS)
def test_it_says_so_of_a_change_to_a_spec(name):
    (old, new), *_ = ERRORS[name]
    change = tree_of(XO.replace(old, new))
    value = plain(change)
    if is_finite(value):
        merged = not validate(merge(tree_of(XO), change), "test", load())[1]
        assert VALIDATOR.is_valid({"extends": "xo.yaml", **as_json(value)}) == merged


@pytest.mark.parametrize(
    "text",
    [
        "{}",
        "- a",
        "model: 3",
        "model:",
        "model: {layers: []}",
        "model: {layers: [Flatten]}",
        "model: {layers: [Flatten: ]}",
        "model: {layers: [Dense: ]}",
        "model: {layers: [Dense]}",
        "model: {layers: [Flatten], input_shape: [0]}",
        "model: {layers: [Flatten], input_shape: [1, 2, 3, 4, 5]}",
        "model: {layers: [Flatten]}\ndata:\ncompile:",
        "model: {layers: [Flatten]}\nfit:",
        "model: {layers: [Flatten]}\ndata: {dataset: npz}",
        "model: {layers: [Flatten]}\ndata: {dataset: mnist, validation: 1.5}",
        "model: {layers: [Flatten]}\ndata: {dataset: mnist, validation: 0.5}",
        "model: {layers: [{Flatten: {inputs: []}}]}",
        "model: {layers: [{Add: {inputs: [a, b]}}]}",
        "model: {layers: [{Parallel: {branches: [[Flatten]]}}]}",
        "model: {layers: [{Parallel: {branches: [[Flatten], []], inputs: [a]}}]}",
        "model: {layers: [Flatten: {}, MaxPool2D: {strides: }]}",
        "model: {layers: [{Flatten: {}, ReLU: {}}]}",
        "name: ../x\nmodel: {layers: [Flatten]}",
        "name:\nmodel: {layers: [Flatten]}",
        "seed: -1\nmodel: {layers: [Flatten]}",
        "seed: 2147483648\nmodel: {layers: [Flatten]}",
        "model: {layers: [Flatten]}\nextra: 1",
    ],
)
def test_it_says_so_of_short_documents(text):
    assert_same_verdict(text)


@pytest.mark.parametrize("path", CORPUS, ids=lambda path: path.stem)
def test_it_says_so_of_the_corpus(path):
    try:
        value = plain(read(read_source(path)))
    except SpecError:
        return  # no tree: not YAML, or not a spec's YAML
    if isinstance(value, dict) and "extends" in value:
        # What the other spec has is not in this file: only a refusal can be held against it.
        if not VALIDATOR.is_valid(as_json(value)):
            with pytest.raises(SpecError):
                load_spec(path)
        return
    assert_same_verdict(path.read_text(encoding="utf-8-sig"))


@pytest.mark.parametrize(
    "text",
    [XO.replace("epochs: 3", "epochs: 3.0"), XO.replace("learning_rate: 0.01", "epsilon: .inf")],
)
def test_the_two_things_that_json_schema_does_not_see(text):
    value = plain(tree_of(text))
    assert VALIDATOR.is_valid(value)
    assert not accepted_by_cnnctl(value)


def component_schema(kind):
    return jsonschema.Draft7Validator(
        {"$ref": f"#/definitions/{kind}", "definitions": SCHEMA["definitions"]}
    )


COMPONENTS = {kind: component_schema(kind) for kind in POSITIONS}
ODD = [None, True, -1, 0, 1, 1.5, 1e9, "", "text", "same", "relu", [], [1], [2, 2], [[1, 2]], ["a"],
       {}, {"a": 1}, {"relu": None}, {"relu": {}}, {"Dense": {"units": 2}},
       {"relu": {}, "elu": {}}]  # fmt: skip


def values(schema, depth):
    """Values that fit a schema of the catalog."""
    if "anyOf" in schema:
        return st.one_of([values(each, depth) for each in schema["anyOf"]])
    if "$ref" in schema:
        return components(schema["$ref"].rpartition("/")[2], depth - 1, odd=False)
    if "enum" in schema:
        return st.sampled_from(schema["enum"])
    match schema.get("type"):
        case "null":
            return st.none()
        case "boolean":
            return st.booleans()
        case "string":
            return st.text(max_size=5)
        case "integer":
            return st.integers(schema.get("minimum", -9), schema.get("maximum", 99))
        case "number":
            low = schema.get("minimum", schema.get("exclusiveMinimum"))
            high = schema.get("maximum", schema.get("exclusiveMaximum"))
            return st.floats(
                low, high, allow_nan=False, allow_infinity=False,
                exclude_min="exclusiveMinimum" in schema,
                exclude_max="exclusiveMaximum" in schema,
            )  # fmt: skip
        case "array":
            low = schema.get("minItems", 0)
            items = values(schema.get("items", {}), depth)
            return st.lists(items, min_size=low, max_size=schema.get("maxItems", low + 2))
        case "object":
            return st.just({})
    return st.sampled_from(ODD)


@st.composite
def components(draw, kind, depth=2, *, odd):
    """A component; with `odd`, some of its parts are what need not fit."""
    kinds = ("layer", "block") if kind == "layer" and depth > 0 else (kind,)
    found = draw(st.sampled_from(kinds))
    catalog = load()
    names = [*catalog.names(found), *catalog.identifiers(found)]
    if depth <= 0:  # nothing that needs a component in it
        names = [n for n in names if "$ref" not in str(_required(catalog.find(found, n)))]
    name = draw(st.sampled_from(names))
    entry = catalog.find(found, name)
    if odd and draw(st.integers(0, 9)) == 0:
        return draw(st.sampled_from([name, {name: None}, *ODD]))
    needed = {argument.name for argument in entry.arguments if argument.required}
    if not odd and not needed and draw(st.booleans()):
        return name
    arguments = {}
    for argument in entry.arguments:
        if argument.name in needed or (depth > 0 and draw(st.integers(0, 3)) == 0):
            arguments[argument.name] = draw(values(argument.schema, depth))
        if odd and draw(st.integers(0, 7)) == 0:
            arguments[argument.name] = draw(st.sampled_from(ODD))
        if odd and draw(st.integers(0, 19)) == 0:
            arguments.pop(argument.name, None)
    if odd and draw(st.integers(0, 9)) == 0:
        extra = draw(st.sampled_from(["inputs", "nonsense", *entry.managed]))
        arguments[extra] = draw(st.sampled_from([["a"], [], None, "a", 1]))
    return {name: arguments}


def _required(entry):
    return [argument.schema for argument in entry.arguments if argument.required]


def verdicts(kind, value):
    checker = Checker(load())
    checker.component(nodes(value), kind)
    return not checker.found, COMPONENTS[kind].is_valid(value)


@pytest.mark.parametrize("kind", POSITIONS)
@examples(60)
@given(data=st.data())
def test_both_accept_what_the_catalog_allows(kind, data):
    value = as_json(data.draw(components(kind, odd=False)))
    assert verdicts(kind, value) == (True, True), value


@pytest.mark.parametrize("kind", POSITIONS)
@examples(150)
@given(data=st.data())
def test_both_say_the_same_of_any_component(kind, data):
    value = as_json(data.draw(components(kind, odd=True)))
    ours, theirs = verdicts(kind, value)
    assert ours == theirs, value


@examples(150)
@given(data=st.data())
def test_a_change_may_lack_what_its_base_has(data):
    """Whatever is left out, laid over the whole it is the whole."""

    def thinned(value):
        if not isinstance(value, dict):
            return value
        return {key: thinned(each) for key, each in value.items() if data.draw(st.booleans())}

    full = plain(tree_of(FULL))
    change = thinned(full)
    # A component is its name and arguments: of the two a change cannot leave out the name.
    for section, key in (("data", "dataset"), ("compile", "optimizer")):
        if not change.get(section, {}).get(key, True):
            del change[section][key]
    rate = change.get("compile", {}).get("optimizer", {}).get("Adam", {})
    if rate.get("learning_rate") == {}:
        del rate["learning_rate"]
    merged = merge(nodes(full), nodes(change))
    assert validate(merged, "test", load())[1] == []
    errors = list(VALIDATOR.iter_errors({"extends": "full.yaml", **change}))
    assert errors == []
    assert VALIDATOR.is_valid(change) == accepted_by_cnnctl(change)


def test_a_list_of_a_change_is_whole():
    assert not VALIDATOR.is_valid({"extends": "a.yaml", "model": {"layers": [{"Dense": {}}]}})
    assert not VALIDATOR.is_valid({"extends": "a.yaml", "data": {"dataset": "npz"}})
    assert not VALIDATOR.is_valid({"extends": 3})
    assert VALIDATOR.is_valid({"extends": "a.yaml"})


def test_plug_ins_are_in_it():
    arguments = (
        Argument("turns", {"type": "number", "minimum": 0}, required=True, doc="How far."),
        Argument("most", {"type": "number"}, default=math.inf),
        Argument("how", {}, default=[object()]),
    )
    entry = Entry("layer", "Swirl2D", ("Swirl",), "Swirls.", arguments, source="swirl.py")
    catalog = Catalog(json.loads(STORED.read_bytes()), (*OWN, entry))
    schema = spec_schema(catalog)
    swirl = schema["definitions"]["layer.Swirl2D"]
    assert swirl["description"] == "Swirls."
    assert swirl["properties"]["turns"] == {
        "type": "number", "minimum": 0, "description": "How far.",
    }  # fmt: skip
    assert swirl["properties"]["most"] == {"type": "number", "description": "Default: inf"}
    assert "Infinity" not in schema_text(schema)
    value = {"model": {"layers": [{"Swirl": {"turns": 0.5}}]}}
    assert jsonschema.Draft7Validator(schema).is_valid(value)
    assert not VALIDATOR.is_valid(value)


@pytest.mark.parametrize("kind", KINDS)
def test_every_argument_has_its_line_and_its_default(kind):
    definitions = SCHEMA["definitions"]
    for name in load().names(kind):
        entry = load().find(kind, name)
        found = definitions[f"{kind}.{name}"]
        assert found["description"] == entry.summary
        for argument in entry.arguments:
            shown = found["properties"][argument.name]
            shown = definitions.get(shown.get("$ref", "").rpartition("/")[2], {}) | shown
            assert argument.doc in shown["description"]
            if argument.required:
                assert argument.name in found["required"]
            else:
                assert shown["default"] == argument.default


def test_every_field_has_its_line():
    for name in ("Document", "Data", "Model", "Compile", "Fit"):
        for key, shown in SCHEMA["definitions"][name]["properties"].items():
            target = SCHEMA["definitions"].get(shown.get("$ref", "").rpartition("/")[2], {})
            assert (target | shown).get("description"), f"{name}.{key}"
