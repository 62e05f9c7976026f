"""The name that was probably meant."""

from __future__ import annotations

from collections.abc import Iterable

CLOSE_ENOUGH = 0.6
"""How alike two names must be, from 0 to 1: difflib's own measure and its usual bound."""

LONGEST = 100
"""What is longer is no misspelled name; to compare it would only take time."""


def nearest(name: str, candidates: Iterable[str]) -> str | None:
    """Return the candidate most like a misspelled name, or None if none is alike.

    Letter case, underscores, hyphens and spaces do not count, unless two candidates differ in
    nothing else. Among equals the first wins, so that the caller's order is a preference.

    Example:
        >>> nearest("kernal_size", ["filters", "kernel_size"])
        'kernel_size'
        >>> nearest("conv2d", ["Conv1D", "Conv2D"])
        'Conv2D'
    """
    from difflib import SequenceMatcher  # 3 ms, and only a mistake needs it

    candidates = list(candidates)
    if len(name) > LONGEST:
        return name if name in candidates else None
    best, best_score = None, (CLOSE_ENOUGH, 0.0)
    loose_name = loosen(name)
    # SequenceMatcher remembers what it knows of its second sequence, so the name stays there.
    loose_matcher = SequenceMatcher(b=loose_name, autojunk=False)
    exact_matcher = SequenceMatcher(b=name, autojunk=False)
    for candidate in candidates:
        loose_matcher.set_seq1(loosen(candidate))
        likeness = loose_matcher.ratio()
        if likeness < best_score[0]:
            continue
        exact_matcher.set_seq1(candidate)
        score = (likeness, exact_matcher.ratio())
        if best is None or score > best_score:
            best, best_score = candidate, score
    return best


def loosen(name: str) -> str:
    """A name without what does not count when names are compared."""
    return name.lower().replace("_", "").replace("-", "").replace(" ", "")
