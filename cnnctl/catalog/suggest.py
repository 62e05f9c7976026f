"""The name that was probably meant."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

CLOSE_ENOUGH = 0.6
"""How alike two names must be, from 0 to 1: difflib's own measure and its usual bound."""

LONGEST = 100
"""What is longer is no misspelled name; to compare it would only take time."""

MOST = 400
"""How many candidates are looked at, and of them the likeliest `_COMPARED` letter by letter. A file
can name any number."""

_COMPARED = 25


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
    candidates = _likely(name, candidates)
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


def _likely(name: str, candidates: list[str]) -> list[str]:
    """Those of many candidates that share the most letters with a name, in their order."""
    candidates = [each for each in candidates[:MOST] if len(each) <= LONGEST]
    if len(candidates) <= 2 * _COMPARED:
        return candidates
    letters = Counter(loosen(name))

    def shared(candidate: str) -> float:
        """No less than difflib's measure, which also looks at the letters' order."""
        loose = loosen(candidate)
        both = sum((letters & Counter(loose)).values())
        return 2 * both / max(1, letters.total() + len(loose))

    places = sorted(range(len(candidates)), key=lambda at: shared(candidates[at]), reverse=True)
    return [candidates[at] for at in sorted(places[:_COMPARED])]


def loosen(name: str) -> str:
    """A name without what does not count when names are compared."""
    return name.lower().replace("_", "").replace("-", "").replace(" ", "")
