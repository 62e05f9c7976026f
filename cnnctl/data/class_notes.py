"""Classes of which there are no images, each with a fix: it may not be meant."""

from __future__ import annotations

from cnnctl.data.dataset import Dataset

_PARTS = {"train": "training", "validation": "validation", "test": "test"}
_FIX = {
    "train": "add some, as the network cannot learn them otherwise",
    "validation": "add some, or metrics between epochs do not cover them",
    "test": "add some, or the test metrics do not cover them",
}


def class_notes(dataset: Dataset, outputs: int | None, *, one_each: bool = True) -> tuple[str, ...]:
    """Return a note for each split that lacks classes, and one on outputs that no image trains.

    Args:
        dataset: Its labels are class numbers, in range.
        outputs: How many the network has; 1 for the classes 0 and 1, None if that is not known.
        one_each: Whether the network has an output for each class, as far as can be told.
    """
    lacking = missing_classes(dataset)
    # Once is enough: what has names is known to lack training images.
    if not one_each or any(": no training" in each for each in lacking):
        return lacking
    return lacking + unused_classes(dataset, outputs)


def missing_classes(dataset: Dataset) -> tuple[str, ...]:
    """Return a note, with a fix, for each split that lacks images of some classes.

    Args:
        dataset: Its labels are class numbers, in range. A class is missing if it has a name or is
            in another split; names that are only numbers, counted up to the largest, do not count.
    """
    import numpy as np

    splits = {name: np.unique(split.y) for name, split in dataset.splits()}
    names = dataset.class_names
    is_named = names != tuple(map(str, range(len(names))))
    expected = np.arange(len(names)) if is_named else np.unique(np.concatenate([*splits.values()]))
    notes = []
    for part, there in splits.items():
        lacks = np.setdiff1d(expected, there).tolist()
        if lacks:
            some = ", ".join(names[number] if names else str(number) for number in lacks[:10])
            more = f" and {len(lacks) - 10:,} more" if len(lacks) > 10 else ""
            noun = "class" if len(lacks) == 1 else "classes"
            fix = _FIX[part]
            if part == "train" and dataset.layout:
                fix = "add some, or move the folder away if it is not a class"
            notes.append(f"{dataset.name}: no {_PARTS[part]} images of {noun} {some}{more}; {fix}")
    return tuple(notes)


def unused_classes(dataset: Dataset, outputs: int | None) -> tuple[str, ...]:
    """A note on classes of which no image is trained on; on labels that seem to start at 1.

    Args:
        dataset: Its labels are class numbers, in range.
        outputs: How many the network has; 1 for the classes 0 and 1, None if that is not known.
    """
    import numpy as np

    parts = (dataset.train, dataset.validation)
    seen = np.unique(np.concatenate([np.unique(each.y) for each in parts if each is not None]))
    largest = int(seen[-1])
    classes = {None: largest + 1, 1: 2}.get(outputs, outputs)
    assert classes is not None
    names = dataset.class_names
    if len(seen) == 1:
        name = names[largest] if largest < len(names) else str(largest)
        return (
            f"{dataset.name}: all training images are of the class {name}: there is nothing to "
            "tell apart; train on images of at least two classes",
        )
    lacks = np.setdiff1d(np.arange(classes), seen).tolist()
    named = dataset.class_names != tuple(map(str, range(len(dataset.class_names))))
    if not lacks:
        return ()
    if lacks == [0] and not named and classes > 2:
        return (
            f"{dataset.name}: no training image has class 0: the labels are 1 to {largest}. If "
            f"they are meant to start at 1, write y - 1, and give the last layer {classes - 1} "
            "outputs",
        )
    words = [names[each] if each < len(names) else str(each) for each in lacks[:5]]
    more = f" and {len(lacks) - 5:,} more" if len(lacks) > 5 else ""
    note = f"{dataset.name}: no training image is of the class{'es' * (len(lacks) > 1)} "
    note += ", ".join(words) + more
    if named or outputs == 1:
        return (note,)
    if lacks[0] == largest + 1:
        return (
            f"{note}; for the labels 0 to {largest} the last layer needs {largest + 1} outputs",
        )
    return (f"{note}; np.unique(y, return_inverse=True)[1] numbers labels without gaps",)
