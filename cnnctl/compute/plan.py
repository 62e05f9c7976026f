"""How the steps of a network are computed: chosen by rule, printed, recorded, kept on resume.

The rules follow from measurements (docs/performance.md), and never from a clock: two runs of the
same spec on the same number of processors are computed the same way, to the same bits.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from cnnctl.arithmetic.checked import Checked
from cnnctl.catalog import load
from cnnctl.errors import UsageError
from cnnctl.io.machine import usable_cpus
from cnnctl.io.text import counted
from cnnctl.specs import Spec
from cnnctl.specs.batch import may_only

MIXED = "mixed_bfloat16"
"""Products in bfloat16, sums and weights in float32."""

SMALLEST_PART = 2
"""Images in a part; batches of four are computed faster as two and two than whole."""

SECONDS_OF_A_CALL = 0.25
"""How long one call of several steps should take: what a progress bar and Ctrl-C wait for."""

MOST_STEPS = 256


@dataclass(frozen=True, slots=True)
class Plan:
    """How steps are computed.

    Args:
        parts: In how many parts each training batch is computed, side by side.
        intra_op: Threads in one operation; 0 leaves it to TensorFlow.
        inter_op: Operations at the same time; 0 leaves it to TensorFlow.
        steps_per_execution: Steps in one call.
        precision: `float32` or `mixed_bfloat16`.
        fused: Whether the optimizer updates by TensorFlow's kernels.
        reordered: Whether the operations of a step are arranged for speed (`order.py`).
        reason: Why it is not as fast as it could be, for people; may be empty.
    """

    parts: int = 1
    intra_op: int = 0
    inter_op: int = 0
    steps_per_execution: int = 1
    precision: str = "float32"
    fused: bool = False
    reason: str = ""
    reordered: bool = True

    @property
    def parts_of_evaluation(self) -> int:
        """In how many parts a batch is computed where no gradient is needed."""
        return self.inter_op if self.intra_op == 1 else 1

    def __str__(self) -> str:
        parts = (
            f"each batch in {self.parts} parts side by side" if self.parts > 1 else "batch whole"
        )
        threads = f"{counted(self.intra_op, 'thread')} an operation"
        return ", ".join([
            self.precision, parts, *([threads] if self.intra_op else []),
            f"{self.steps_per_execution} steps a call", *([self.reason] if self.reason else []),
        ])  # fmt: skip

    def plain(self, reason: str) -> Plan:
        """Return the plan without what makes it fast, for a network that does not allow it."""
        return replace(self, parts=1, fused=False, reordered=False, reason=reason)

    def to_dict(self) -> dict[str, Any]:
        """Plain values, for JSON."""
        return asdict(self)


def recorded(environment: dict[str, Any]) -> Plan | None:
    """The plan of a run, as its `environment.json` has it; None if it has none that is sane.

    Runs from before there were plans were computed as Keras does it.
    """
    found = environment.get("plan")
    if found is None and type(steps := environment.get("steps_per_execution")) is int and steps > 0:
        return Plan(steps_per_execution=steps)
    if not isinstance(found, dict):
        return None
    kinds = {"parts": int, "intra_op": int, "inter_op": int, "steps_per_execution": int,
             "precision": str, "fused": bool, "reason": str, "reordered": bool}  # fmt: skip
    found = {"reordered": True, **found}  # plans of earlier versions do not say
    if any(type(found.get(name)) is not kind for name, kind in kinds.items()):
        return None
    plan = Plan(**{name: found[name] for name in kinds})
    counts = (plan.parts, plan.steps_per_execution, plan.intra_op + 1, plan.inter_op + 1)
    return plan if all(0 < count <= 1 << 16 for count in counts) else None


def choose(checked: Checked, images: int, *, on_gpu: bool, replicas: int = 1) -> Plan:
    """Choose how the steps of a spec are computed.

    Args:
        checked: A spec with `compile`, and the shapes of its network.
        images: How many there are in an epoch.
        on_gpu: Whether a GPU computes them.
        replicas: How many devices compute a batch together; each computes its share by the plan.

    """
    spec = checked.spec
    assert spec.compile is not None
    wanted = spec.compile
    batch = spec.fit.batch_size
    threads = cpus() if wanted.threads == "auto" else wanted.threads
    at_once = threads
    if spec.fit.distribute == "mirrored":
        threads = max(1, threads // replicas)  # they share the processor
    parts, reason = (1, "") if on_gpu else _parts(checked, threads, batch // replicas)
    small = parts == 1 and not reason
    if wanted.parts != "auto":
        parts, reason, small = wanted.parts, "", False
    # One thread would wait for another within every operation of a batch of a few images.
    each = 1 if small else max(1, threads // parts)
    steps = wanted.steps_per_execution
    several = _several(checked, -(-images // batch)) if steps == "auto" else steps
    needs_each = next(_needing_each_step(spec), None)
    if needs_each and steps == "auto":
        several, reason = 1, "; ".join(filter(None, [reason, f"{needs_each} wants every step"]))
    return Plan(
        parts=parts,
        intra_op=0 if on_gpu else each,
        inter_op=0 if on_gpu else at_once,
        steps_per_execution=several,
        precision=wanted.precision,
        fused=wanted.fused,
        reason=reason,
    )


def _parts(checked: Checked, threads: int, images: int) -> tuple[int, str]:
    """In how many parts a batch can be computed; where it is one, why."""
    for across in checked.batch_dependent:
        word = "may look" if may_only(across) else "looks"
        return 1, f"{across} {word} at the batch as a whole"
    return max(1, min(threads, images // SMALLEST_PART)), ""


def _needing_each_step(spec: Spec) -> Iterator[str]:
    """The callbacks that have to be called after every step."""
    for callback in spec.fit.callbacks:
        if callback.name == "TensorBoard":
            if callback.arguments.get("update_freq", "epoch") != "epoch":
                yield callback.name
        elif callback.is_of_plugin:
            entry = load().find("callback", callback.name)
            assert entry is not None
            bases = entry.registered.__mro__
            own = [name for each in bases if not _is_keras(each) for name in vars(each)]
            if any(name.endswith(("batch_begin", "batch_end")) for name in own):
                yield callback.name


def _is_keras(kind: type) -> bool:
    return kind.__module__.partition(".")[0] == "keras"


def _several(checked: Checked, steps: int) -> int:
    """Steps in a call, so that one takes about `SECONDS_OF_A_CALL` and all are about as long.

    A step is reckoned at 1 ms and three forward passes of 200 GFLOP/s.
    """
    macs = checked.trace.macs if checked.trace else None
    operations = 6 * (macs or 50_000_000) * checked.spec.fit.batch_size
    seconds = 1e-3 + operations / 200e9
    most = max(1, min(MOST_STEPS, int(SECONDS_OF_A_CALL / seconds), steps))
    return -(-steps // -(-steps // most))


def cpus() -> int:
    """How many threads compute: the processors that this process may use, or what the user has
    set TF_NUM_INTRAOP_THREADS to."""
    given = os.environ.get("TF_NUM_INTRAOP_THREADS", "")
    return int(given) if given.isdecimal() and int(given) else usable_cpus()


def threads_each(processes: int) -> int:
    """How many threads each of several processes of this machine computes with: they share the
    processors."""
    return max(1, cpus() // processes)


def refuse_precision(precision: str, *, on_gpu: bool) -> None:
    """Look whether the processor computes in a precision.

    Raises:
        UsageError: It does not: it would be slower than float32, or float32 all the same.
    """
    if precision != MIXED or on_gpu:
        return
    if not has_bfloat16():
        raise UsageError(
            f"this processor has no instructions for bfloat16, and {MIXED} would be slower",
            hint="--precision float32",
        )
    if os.environ.get("TF_ENABLE_ONEDNN_OPTS", "1").lower() in ("0", "false"):
        raise UsageError(
            f"{MIXED} is computed by oneDNN on a processor, and TF_ENABLE_ONEDNN_OPTS turns it off",
            hint="--precision float32, or unset TF_ENABLE_ONEDNN_OPTS",
        )


_ISA_WITH_BFLOAT16 = {
    "DEFAULT", "ALL", "AVX512_CORE_BF16", "AVX512_CORE_FP16", "AVX512_CORE_AMX",
    "AVX512_CORE_AMX_FP16", "AVX10_1_512", "AVX10_1_512_AMX", "AVX10_1_512_AMX_FP16",
}  # fmt: skip
"""The instruction sets of oneDNN that multiply in bfloat16."""


def has_bfloat16() -> bool:
    """Whether the processor multiplies in bfloat16, and oneDNN may (`ONEDNN_MAX_CPU_ISA`): else
    TensorFlow, which asks the processor alone, crashes. On Linux alone it is known."""
    most = os.environ.get("ONEDNN_MAX_CPU_ISA", os.environ.get("DNNL_MAX_CPU_ISA", "DEFAULT"))
    if most.upper() not in _ISA_WITH_BFLOAT16:
        return False
    try:
        text = Path("/proc/cpuinfo").read_text(encoding="utf-8")
    except OSError:
        return False
    return "avx512_bf16" in text or "amx_bf16" in text
