"""The reader of HDF5 against the library, on what h5py writes by default."""

import io

import h5py
import numpy as np
import pytest

from cnnctl.io import hdf5


def written(arrays, groups=()):
    """A file with these arrays, in memory."""
    data = io.BytesIO()
    with h5py.File(data, "w") as file:
        for path in groups:
            file.create_group(path).attrs["name"] = path * 100
        for path, array in arrays.items():
            file[path] = array
            file[path].attrs["dtype"] = "text"
    return data


def test_every_type_and_shape():
    types = ("f2", "f4", "f8", "i1", "i4", "i8", "u1", "u2", "u8", ">f4", ">i2", "V2")
    shapes = ((), (1,), (3, 2), (0,), (2, 3, 1, 2, 1), (5, 0))
    arrays = {
        f"layers/{kind.strip('>')}{kind[0] == '>'}/vars/{number}": np.frombuffer(
            np.random.RandomState(number).bytes(np.dtype(kind).itemsize * 100), kind
        )[: int(np.prod(shape))].reshape(shape)
        for kind in types
        for number, shape in enumerate(shapes)
    }
    found = hdf5.File(written(arrays))
    assert found.arrays.keys() == arrays.keys()
    for path, array in arrays.items():
        assert found.arrays[path].shape == array.shape
        assert found.values(found.arrays[path]) == array.tobytes()
    kinds = {str(each).split(" (")[0] for each in found.arrays.values()}
    assert {"float16", "float64", "int8", "uint64", "big-endian int16", "opaque"} <= kinds


def test_groups_of_thousands():
    """Their names are in trees of several levels."""
    arrays = {f"optimizer/vars/{number}": np.float32(number) for number in range(3000)}
    arrays |= {f"layers/layer_{number}/vars/0": np.float32(number) for number in range(500)}
    found = hdf5.File(written(arrays, ["layers/empty/vars"]))
    assert found.arrays.keys() == arrays.keys()
    assert {"layers/empty", "layers/empty/vars", "optimizer/vars"} <= found.groups
    assert all(found.values(found.arrays[path]) == arrays[path].tobytes() for path in arrays)
    assert hdf5.File(written(arrays), skip="optimizer").arrays.keys() == {
        path for path in arrays if path.startswith("layers")
    }


def test_many_attributes_go_on_in_another_block():
    data = written({"a": np.ones(3)})
    with h5py.File(data, "a") as file:
        for number in range(50):
            file["a"].attrs[f"attribute {number}"] = np.arange(number)
    assert hdf5.File(data).arrays["a"].shape == (3,)


def test_the_number_of_bytes_is_limited():
    data = written({f"a{number}": np.ones(3) for number in range(200)})
    needed = hdf5.File(data).read
    assert len(hdf5.File(data, limit=needed).arrays) == 200
    with pytest.raises(hdf5.Refused, match="more objects"):
        hdf5.File(data, limit=needed - 1)


@pytest.mark.parametrize("libver", ["v108", "v110", "latest"])
def test_newer_formats_are_refused(libver):
    data = io.BytesIO()
    with h5py.File(data, "w", libver=libver) as file:
        file["a"] = np.ones(3)
    with pytest.raises(hdf5.Refused, match="in the form that Keras writes"):
        hdf5.File(data)


def test_names_that_share_their_bytes_are_charged_one_by_one():
    """Nine thousand suffixes of one name of 60 kB would be 270 MB of text."""
    from reliability.costly import h5

    data = h5(range(9_000), b"a" * 60_000 + b"\0")
    assert len(data) < 1_000_000
    with pytest.raises(hdf5.Refused, match="far more objects than this network"):
        hdf5.File(io.BytesIO(data), limit=1 << 20)
    few = hdf5.File(io.BytesIO(h5([0, 3], b"aaab\0")), limit=1 << 20)
    assert few.groups == {"aaab", "b"}
