"""The named data sets: what they hold, where they are published, and how to know them.

The URLs of MNIST and Fashion-MNIST are Keras's. CIFAR comes in its publisher's binary version,
since the version that Keras takes is a pickle, which runs code when it is opened. SHA-256 sums of
files are those that TensorFlow Datasets records; `train_sha256` and `test_sha256` are sums over
the images and labels themselves, so that a copy in another kind of file is known as well.
"""

from __future__ import annotations

from dataclasses import dataclass

_KERAS = "https://storage.googleapis.com/tensorflow/tf-keras-datasets/"
_CIFAR = "https://www.cs.toronto.edu/~kriz/"


@dataclass(frozen=True, slots=True)
class RemoteFile:
    """A file to download.

    Args:
        path: Where it belongs in a data folder, with `/`.
        url: Where it is published.
        sha256: Of the published file, in hexadecimal.
        size: In bytes.
        equivalents: SHA-256 of other packings of the same bytes.
    """

    path: str
    url: str
    sha256: str
    size: int
    equivalents: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Source:
    """A named data set.

    Args:
        name: As written in a spec.
        title: For people.
        layout: How the published files are laid out: `npz`, `idx` or `cifar`.
        files: What to download.
        train: How many training images.
        test: How many test images.
        shape: Of one image, as stored.
        class_names: By class number.
        coarse_names: CIFAR-100's superclasses, by number.
        train_sha256: Over the published training images and labels (see `published.py`).
        test_sha256: The same for the test images.
    """

    name: str
    title: str
    layout: str
    files: tuple[RemoteFile, ...]
    train: int
    test: int
    shape: tuple[int, ...]
    class_names: tuple[str, ...]
    coarse_names: tuple[str, ...] = ()
    train_sha256: str | None = None
    test_sha256: str | None = None

    @property
    def size(self) -> int:
        """The bytes to download."""
        return sum(file.size for file in self.files)

    @property
    def npz(self) -> str:
        """The file in Keras's layout (`x_train`, `y_train`, …) that is read as well."""
        return f"{self.name}.npz"


def _idx_file(folder: str, name: str, size: int, sha256: str, debian: str) -> RemoteFile:
    return RemoteFile(f"{folder}/{name}", _KERAS + name, sha256, size, (debian,))


_MNIST = Source(
    name="mnist",
    title="MNIST: handwritten digits",
    layout="npz",
    files=(
        RemoteFile(
            "mnist.npz",
            _KERAS + "mnist.npz",
            "731c5ac602752760c8e48fbffcf8c3b850d9dc2a2aedcf2cc48468fc17b673d1",
            11_490_434,
        ),
    ),
    train=60_000,
    test=10_000,
    shape=(28, 28),
    class_names=tuple("0123456789"),
    train_sha256="edc0d1098aa497be14ace79ddd5171e5a3dcf9c4d196c015389203eb3ba1f59b",
    test_sha256="c3f9adf9c66efb572b1f9326c3a511b45910c7173b97be66ceceeeeaef6b802b",
)

# Debian packs the same bytes without name and date in the gzip header.
_FASHION_MNIST = Source(
    name="fashion_mnist",
    title="Fashion-MNIST: Zalando's clothes",
    layout="idx",
    files=(
        _idx_file(
            "fashion-mnist",
            "train-images-idx3-ubyte.gz",
            26_421_880,
            "3aede38d61863908ad78613f6a32ed271626dd12800ba2636569512369268a84",
            "b0564c3eedabfbf835052cff8503ea422014ce006caf5b757f851416ee8300c7",
        ),
        _idx_file(
            "fashion-mnist",
            "train-labels-idx1-ubyte.gz",
            29_515,
            "a04f17134ac03560a47e3764e11b92fc97de4d1bfaf8ba1a3aa29af54cc90845",
            "0ae29f65d86684f32d1b9c85147786c547b9c6aebcaf235f0400a0cce308b056",
        ),
        _idx_file(
            "fashion-mnist",
            "t10k-images-idx3-ubyte.gz",
            4_422_102,
            "346e55b948d973a97e58d2351dde16a484bd415d4595297633bb08f03db6a073",
            "cc1d090a38ace84dfa1aa66e3ada7c336ef481a96936906477e6dd344da56eaa",
        ),
        _idx_file(
            "fashion-mnist",
            "t10k-labels-idx1-ubyte.gz",
            5_148,
            "67da17c76eaffca5446c3361aaab5c3cd6d1c2608764d35dfb1850b086bf8dd5",
            "8d3605d196f4be44669e46906da9733c8131fef761fdbfec72c424d5222f1a05",
        ),
    ),
    train=60_000,
    test=10_000,
    shape=(28, 28),
    class_names=(
        "T-shirt/top",
        "Trouser",
        "Pullover",
        "Dress",
        "Coat",
        "Sandal",
        "Shirt",
        "Sneaker",
        "Bag",
        "Ankle boot",
    ),
    train_sha256="16d82e2b505296aa2b78bd5ea0992634f30419a4c97def7c907d154a35ac6157",
    test_sha256="9f1ec356a747bfe4ebab3cfb722d3694c9ca737e2570f6f90cf31d7b6fd689d4",
)

_CIFAR10_NAMES = "airplane automobile bird cat deer dog frog horse ship truck"

_CIFAR10 = Source(
    name="cifar10",
    title="CIFAR-10: small colour pictures of ten things",
    layout="cifar",
    files=(
        RemoteFile(
            "cifar-10-binary.tar.gz",
            _CIFAR + "cifar-10-binary.tar.gz",
            "c4a38c50a1bc5f3a1c5537f2155ab9d68f9f25eb1ed8d9ddda3db29a59bca1dd",
            170_052_171,
        ),
    ),
    train=50_000,
    test=10_000,
    shape=(32, 32, 3),
    class_names=tuple(_CIFAR10_NAMES.split()),
    train_sha256="a0181da372c0d63a5920fdbea2ec3f83ecbc552d378218e1cb473cf634941a3b",
    test_sha256="8e2eb146ae340b09e24670f29cabc6326dba54da8789dab6768acf480273f65b",
)

_CIFAR100_NAMES = """
apple aquarium_fish baby bear beaver bed bee beetle bicycle bottle bowl boy bridge bus
butterfly camel can castle caterpillar cattle chair chimpanzee clock cloud cockroach couch
crab crocodile cup dinosaur dolphin elephant flatfish forest fox girl hamster house kangaroo
keyboard lamp lawn_mower leopard lion lizard lobster man maple_tree motorcycle mountain
mouse mushroom oak_tree orange orchid otter palm_tree pear pickup_truck pine_tree plain
plate poppy porcupine possum rabbit raccoon ray road rocket rose sea seal shark shrew skunk
skyscraper snail snake spider squirrel streetcar sunflower sweet_pepper table tank telephone
television tiger tractor train trout tulip turtle wardrobe whale willow_tree wolf woman worm
"""

_CIFAR100_COARSE_NAMES = """
aquatic_mammals fish flowers food_containers fruit_and_vegetables
household_electrical_devices household_furniture insects large_carnivores
large_man-made_outdoor_things large_natural_outdoor_scenes large_omnivores_and_herbivores
medium_mammals non-insect_invertebrates people reptiles small_mammals trees vehicles_1
vehicles_2
"""

_CIFAR100 = Source(
    name="cifar100",
    title="CIFAR-100: small colour pictures of a hundred things",
    layout="cifar",
    files=(
        RemoteFile(
            "cifar-100-binary.tar.gz",
            _CIFAR + "cifar-100-binary.tar.gz",
            "58a81ae192c23a4be8b1804d68e518ed807d710a4eb253b1f2a199162a40d8ec",
            168_513_733,
        ),
    ),
    train=50_000,
    test=10_000,
    shape=(32, 32, 3),
    class_names=tuple(_CIFAR100_NAMES.split()),
    coarse_names=tuple(_CIFAR100_COARSE_NAMES.split()),
)

SOURCES: dict[str, Source] = {
    source.name: source for source in (_MNIST, _FASHION_MNIST, _CIFAR10, _CIFAR100)
}
"""The named data sets, by the name that a spec uses."""

MADE: dict[str, str] = {
    "npz": "your own arrays, in a file with x_train, y_train, …",
    "image_folder": "your own images, in <class>/ or train/<class>/ and test/<class>/",
    "inline": "arrays written in the spec",
    "xo": "made pictures of X's and O's, 9×9",
}
"""The other data sets that a spec can name, each with a line about it."""
