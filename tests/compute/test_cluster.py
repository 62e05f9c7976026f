"""Who trains together, as TF_CONFIG and Slurm say it."""

import json

import pytest

from cnnctl.compute.cluster import Cluster, from_environment, to_tensorflow
from cnnctl.errors import UsageError


def tf_config(**content):
    return {"TF_CONFIG": json.dumps(content)}


def test_workers_of_tf_config():
    environment = tf_config(
        cluster={"worker": ["a:1", "b:2", "c:3"]}, task={"type": "worker", "index": 2}
    )
    assert from_environment(environment) == Cluster(("a:1", "b:2", "c:3"), 2, "TF_CONFIG")


def test_a_chief_comes_before_the_workers():
    cluster = {"worker": ["b:2", "c:3"], "chief": ["a:1"]}
    chief = from_environment(tf_config(cluster=cluster, task={"type": "chief", "index": 0}))
    last = from_environment(tf_config(cluster=cluster, task={"type": "worker", "index": "1"}))
    assert chief.leads
    assert chief.workers == last.workers == ("a:1", "b:2", "c:3")
    assert (last.index, last.leads) == (2, False)


def test_what_is_written_is_read():
    environment = {"TF_CONFIG": to_tensorflow(("x:1", "y:2"), 1)}
    assert from_environment(environment) == Cluster(("x:1", "y:2"), 1, "TF_CONFIG")


@pytest.mark.parametrize(("text", "word"), [
    ("no json", "cannot be read"),
    ("[]", "cannot be read"),
    ('{"cluster": {"worker": ["a:1"]}}', "cannot be read"),
    ('{"cluster": {"worker": "a:1"}, "task": {"type": "worker", "index": 0}}', "host:port"),
    ('{"cluster": {"worker": ["a"]}, "task": {"type": "worker", "index": 0}}', "host:port"),
    ('{"cluster": {"worker": ["a:1"]}, "task": {"type": "worker", "index": 1}}', "no such process"),
    ('{"cluster": {"worker": ["a:1"]}, "task": {"type": "chief", "index": 0}}', "no such process"),
    ('{"cluster": {"worker": ["a:1", "a:1"]}, "task": {"type": "worker", "index": 0}}', "twice"),
    ('{"cluster": {"worker": ["a:1"], "ps": ["b:1"]}, "task": {"type": "ps", "index": 0}}', "`ps`"),
])  # fmt: skip
def test_a_wrong_tf_config_is_told(text, word):
    with pytest.raises(UsageError) as raised:
        from_environment({"TF_CONFIG": text})
    assert "TF_CONFIG" in raised.value.message
    assert word in raised.value.message


def slurm(procid, nodes, tasks):
    return {
        "SLURM_PROCID": str(procid), "SLURM_STEP_NODELIST": nodes,
        "SLURM_STEP_TASKS_PER_NODE": tasks,
    }  # fmt: skip


def test_tasks_of_slurm():
    """Slurm's own order: node10 before node9 where it says so."""
    found = from_environment(slurm(4, "node10,node[08-09]-ib,gpu", "2,1(x2),3"))
    assert found.workers == (
        "node10:8888", "node10:8889", "node08-ib:8888", "node09-ib:8888",
        "gpu:8888", "gpu:8889", "gpu:8890",
    )  # fmt: skip
    assert (found.index, found.source) == (4, "Slurm")


def test_a_list_of_ranges_of_slurm():
    found = from_environment(slurm(0, "n[1-2,5],m3", "1(x4)"))
    assert found.workers == ("n1:8888", "n2:8888", "n5:8888", "m3:8888")
    assert found.leads


@pytest.mark.parametrize("environment", [
    slurm(0, "a,b", "1"), slurm(2, "a,b", "1(x2)"), slurm("x", "a", "1"), slurm(0, "a[1-x]", "1"),
    slurm(0, "a", ""), {"SLURM_PROCID": "0", "SLURM_STEP_NODELIST": "a"},
])  # fmt: skip
def test_wrong_variables_of_slurm_are_told(environment):
    with pytest.raises(UsageError, match="Slurm"):
        from_environment(environment)


def test_tf_config_goes_before_slurm():
    both = {**slurm(0, "a", "1"), "TF_CONFIG": to_tensorflow(("x:1",), 0)}
    assert from_environment(both).source == "TF_CONFIG"


def test_neither_is_told_with_the_way_out():
    with pytest.raises(UsageError) as raised:
        from_environment({})
    assert "cnnctl launch -n 2" in (raised.value.hint or "")
