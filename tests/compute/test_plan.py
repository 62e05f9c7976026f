"""Which plan a spec gets, by hand."""

import pytest
from conftest import XO

from cnnctl.arithmetic import trace
from cnnctl.arithmetic.checked import Checked
from cnnctl.compute import plan as planning
from cnnctl.compute.plan import Plan, choose, recorded, refuse_precision
from cnnctl.errors import SpecError, UsageError
from cnnctl.specs import load
from cnnctl.specs.batch import looking_across
from cnnctl.specs.devices import device_errors


def planned(tmp_path, *changes, text=XO, threads=2, images=1000, on_gpu=False):
    path = tmp_path / "tiny.yaml"
    path.write_text(text)
    spec = load(path, [f"compile.threads={threads}", *changes])
    if found := list(device_errors(spec, looking_across(spec))):
        raise SpecError(found)
    return choose(Checked(spec, trace(spec.graph, (12, 12, 1))), images, on_gpu=on_gpu)


def test_a_batch_is_cut_for_the_threads(tmp_path):
    plan = planned(tmp_path)
    assert (plan.parts, plan.intra_op, plan.inter_op, plan.fused) == (2, 1, 2, True)
    wide = planned(tmp_path, "fit.batch_size=128", threads=8)
    assert (wide.parts, wide.intra_op, wide.inter_op) == (8, 1, 8)


@pytest.mark.parametrize(("batch", "parts"), [(1, 1), (3, 1), (4, 2), (7, 3), (8, 4), (32, 4)])
def test_no_part_is_smaller_than_what_pays(batch, parts, tmp_path):
    assert planned(tmp_path, f"fit.batch_size={batch}", threads=4).parts == parts


@pytest.mark.parametrize(("change", "culprit"), [
    ("    - Dropout: {rate: 0.2}\n|    - BatchNormalization\n", "BatchNormalization"),
    ("loss: sparse_categorical_crossentropy|loss: dice", "Dice"),
    ("loss: sparse_categorical_crossentropy|"
     "loss: {SparseCategoricalCrossentropy: {reduction: sum}}", "SparseCategoricalCrossentropy"),
    ("loss: sparse_categorical_crossentropy|"
     "loss: {SparseCategoricalCrossentropy: {ignore_class: 0}}", "SparseCategoricalCrossentropy"),
    ("    - Dropout: {rate: 0.2}\n|    - RandomGaussianBlur\n", "RandomGaussianBlur"),
    ("{rate: 0.2}|{rate: 0.2, noise_shape: [1, null, null, 4]}", "Dropout"),
])  # fmt: skip
def test_what_looks_across_the_batch_keeps_it_whole(change, culprit, tmp_path):
    before, after = change.split("|")
    assert before in XO
    plan = planned(tmp_path, text=XO.replace(before, after))
    assert (plan.parts, plan.intra_op) == (1, 2)
    assert culprit in plan.reason
    assert culprit in str(plan)


@pytest.mark.parametrize(("before", "after"), [
    ("{rate: 0.2}", "{rate: 0.2, noise_shape: [null, 1, 1, null]}"),
    ("units: 2,", "units: 2, activity_regularizer: l2,"),
])  # fmt: skip
def test_what_looks_at_each_picture_alone_does_not(before, after, tmp_path):
    assert before in XO
    assert planned(tmp_path, text=XO.replace(before, after)).parts == 2


def test_a_part_can_be_chosen_by_hand(tmp_path):
    plan = planned(tmp_path, "compile.parts=3", "compile.fused=false",
                   "compile.steps_per_execution=5", threads=6)  # fmt: skip
    assert (plan.parts, plan.intra_op, plan.fused, plan.steps_per_execution) == (3, 2, False, 5)


def test_parts_that_would_be_another_mathematics_are_refused(tmp_path):
    """Batch normalization over half a batch is not batch normalization over the batch."""
    text = XO.replace("    - Dropout: {rate: 0.2}\n", "    - BatchNormalization\n")
    with pytest.raises(SpecError) as caught:
        planned(tmp_path, "compile.parts=2", text=text)
    (diagnostic,) = caught.value.diagnostics
    assert diagnostic.location.line == text.splitlines().index("    - BatchNormalization") + 1
    assert "BatchNormalization" in diagnostic.message
    assert planned(tmp_path, "compile.parts=1", text=text).parts == 1


def test_a_gpu_gets_the_batch_whole(tmp_path):
    plan = planned(tmp_path, on_gpu=True)
    assert (plan.parts, plan.intra_op, plan.inter_op) == (1, 0, 0)


def test_calls_are_about_as_long(tmp_path):
    """1,000 pictures in batches of 16 are 63 steps: one call; 100,000 are 6,250: 25 of 250."""
    assert planned(tmp_path).steps_per_execution == 63
    many = planned(tmp_path, images=100_000).steps_per_execution
    assert 6250 - many * (6250 // many) in (0, *range(many * 9 // 10, many))
    assert many <= planning.MOST_STEPS


def test_a_callback_that_wants_every_step_gets_it(tmp_path):
    text = XO + "  callbacks: [{TensorBoard: {update_freq: 5}}]\n"
    plan = planned(tmp_path, text=text)
    assert plan.steps_per_execution == 1
    assert "TensorBoard" in plan.reason


def test_a_plan_is_read_back_as_it_was_recorded():
    plan = Plan(2, 1, 2, 16, "float32", True, "because")
    assert recorded({"plan": plan.to_dict()}) == plan


@pytest.mark.parametrize("change", [
    {"parts": 0}, {"parts": "2"}, {"intra_op": -1}, {"fused": 1}, {"steps_per_execution": 1 << 40},
    {"precision": None},
])  # fmt: skip
def test_a_damaged_plan_is_none(change):
    assert recorded({"plan": {**Plan().to_dict(), **change}}) is None
    assert recorded({"plan": []}) is None
    assert recorded({}) is None


def test_a_run_from_before_there_were_plans_stays_as_it_was():
    assert recorded({"steps_per_execution": 16}) == Plan(steps_per_execution=16)
    assert recorded({"steps_per_execution": 0}) is None


def test_a_precision_that_the_processor_lacks_is_refused(monkeypatch):
    monkeypatch.setattr(planning, "has_bfloat16", lambda: False)
    refuse_precision("float32", on_gpu=False)
    refuse_precision("mixed_bfloat16", on_gpu=True)
    with pytest.raises(UsageError, match="bfloat16"):
        refuse_precision("mixed_bfloat16", on_gpu=False)


def test_a_precision_that_onednn_may_not_compute_is_refused(monkeypatch):
    """Without oneDNN TensorFlow would compute in float32 and say nothing; with one that is held
    below bfloat16 it crashes."""
    monkeypatch.setattr(planning.Path, "read_text", lambda *_, **__: "flags: avx512_bf16")
    monkeypatch.delenv("ONEDNN_MAX_CPU_ISA", raising=False)
    monkeypatch.delenv("TF_ENABLE_ONEDNN_OPTS", raising=False)
    refuse_precision("mixed_bfloat16", on_gpu=False)
    monkeypatch.setenv("TF_ENABLE_ONEDNN_OPTS", "0")
    refuse_precision("float32", on_gpu=False)
    with pytest.raises(UsageError, match="TF_ENABLE_ONEDNN_OPTS turns it off"):
        refuse_precision("mixed_bfloat16", on_gpu=False)
    monkeypatch.delenv("TF_ENABLE_ONEDNN_OPTS")
    for most, has in (("AVX2", False), ("AVX512_CORE_VNNI", False), ("avx512_core_bf16", True)):
        monkeypatch.setenv("ONEDNN_MAX_CPU_ISA", most)
        assert planning.has_bfloat16() is has


def test_check_says_at_once_that_parts_would_be_another_mathematics(tmp_path):
    from cnnctl.preflight import check

    spec = tmp_path / "s.yaml"
    spec.write_text(
        "model:\n"
        "  input_shape: [9, 9, 1]\n"
        "  layers:\n"
        "    - Conv2D: {filters: 4, kernel_size: 3}\n"
        "    - BatchNormalization\n"
        "    - Flatten\n"
        "    - Dense: {units: 2, activation: softmax}\n"
        "data: {dataset: xo}\n"
        "compile: {optimizer: sgd, loss: sparse_categorical_crossentropy, parts: 2}\n"
        "fit: {epochs: 1}\n",
        encoding="utf-8",
    )
    with pytest.raises(SpecError) as raised:
        check(spec)
    assert [each.rule for each in raised.value.diagnostics] == ["parts-of-a-whole"]
    assert raised.value.diagnostics[0].location.line == 5
    assert check(spec, ["compile.parts=1"]).spec.compile.parts == 1
