"""W&B's files, whole and cut off at any place."""

import struct

import pytest

from cnnctl.trackers.wandb_files import epochs, records

pytest.importorskip("wandb", reason="the extra `wandb` is not installed")

BLOCK = 32768


def written(steps, filler=0):
    """A file by the description of LevelDB's format."""
    from wandb.proto.wandb_internal_pb2 import Record

    data = b":W&B\xe1\xbe\x00"
    for step in steps:
        record = Record()
        record.history.step.num = step
        record.history.item.add(key="loss", value_json="1" * (filler + 1))
        rest, kind = record.SerializeToString(), 1
        while True:
            left = BLOCK - len(data) % BLOCK
            if left < 7:
                data += bytes(left)
                continue
            part, rest = rest[: left - 7], rest[left - 7 :]
            is_first = kind == 1
            kind = (1 if not rest else 2) if is_first else (4 if not rest else 3)
            data += struct.pack("<IHB", 0, len(part), kind) + part
            if not rest:
                break
    return data


@pytest.mark.parametrize("filler", [0, 5_000, 100_000])
def test_every_record(filler):
    assert len(list(records(written(range(1, 30), filler)))) == 29


def test_up_to_which_epoch(tmp_path):
    assert epochs(tmp_path, "abc") is None
    for number, steps in enumerate(([1, 2, 3], [4, 5, 8])):
        folder = tmp_path / f"offline-run-2026_{number}-abc"
        folder.mkdir()
        (folder / "run-abc.wandb").write_bytes(written(steps))
    assert epochs(tmp_path, "abc") == 5
    assert epochs(tmp_path, "abd") is None


def test_cut_off_and_damaged(tmp_path):
    folder = tmp_path / "offline-run-1-abc"
    folder.mkdir()
    data = written([1, 2, 3])
    for size in range(len(data)):
        (folder / "run-abc.wandb").write_bytes(data[:size])
        assert 0 <= epochs(tmp_path, "abc") < 3
        changed = bytearray(data)
        changed[size] ^= 0xFF
        (folder / "run-abc.wandb").write_bytes(changed)
        assert 0 <= epochs(tmp_path, "abc") <= 3
