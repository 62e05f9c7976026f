"""Looking a name up: the `Catalog`, and `load`, which reads it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

from cnnctl.catalog import suggest
from cnnctl.catalog.allowed import REFUSED
from cnnctl.catalog.entry import Entry, from_stored
from cnnctl.catalog.own import OWN
from cnnctl.errors import UsageError

STORED = Path(__file__).with_name("keras.json")
"""Keras's part of the catalog, which `cnnctl.catalog.generate` writes."""

KINDS = (
    "layer",
    "block",
    "cell",
    "activation",
    "initializer",
    "regularizer",
    "constraint",
    "optimizer",
    "schedule",
    "loss",
    "metric",
    "callback",
    "rate_schedule",
    "dataset",
)
"""What a name can be the name of."""


class Catalog:
    """Every name that a spec may use, by kind.

    Args:
        stored: Keras's entries in the form of `keras.json`; read one at a time, when asked for.
        own: Further entries.
        refused: Names that are left out, with the reason, by kind.
        more: Adds what is known only on request: the plug-ins that are installed. Returns what is
            to be said of those that cannot be used.
    """

    def __init__(
        self,
        stored: Mapping[str, Mapping[str, Any]],
        own: Iterable[Entry] = (),
        refused: Mapping[str, Mapping[str, str]] | None = None,
        more: Callable[[], tuple[str, ...]] = tuple,
    ) -> None:
        self._stored = stored
        self._more = more
        self._refused = refused or {}
        self._entries: dict[str, dict[str, Entry]] = {kind: {} for kind in KINDS}
        # Identifiers and names alike lead to the entry's name.
        self._spellings: dict[str, dict[str, str]] = {kind: {} for kind in KINDS}
        for kind, entries in stored.items():
            spellings = self._spellings[kind]
            for name, entry in entries.items():
                spellings[name] = name
                for identifier in entry.get("identifiers", ()):
                    spellings[identifier] = name
        for entry in own:
            self.add(entry)

    def find(self, kind: str, name: str) -> Entry | None:
        """Return the entry of that name, alias or identifier, or None."""
        entry_name = self._spellings_of(kind).get(name)
        if entry_name is None:
            return None
        entry = self._entries[kind].get(entry_name)
        if entry is None:
            entry = from_stored(kind, entry_name, self._stored[kind][entry_name])
            self._entries[kind][entry_name] = entry
        return entry

    def of_plugin(self, kind: str, name: str) -> Entry | None:
        """Return the entry of that name if a plug-in has registered it, or None."""
        entry = self.find(kind, name)
        return entry if entry is not None and entry.is_of_plugin else None

    def names(self, kind: str) -> tuple[str, ...]:
        """Return the names of a kind, sorted, without identifiers and aliases."""
        return tuple(sorted({*self._spellings_of(kind).values()}))

    def identifiers(self, kind: str) -> dict[str, str]:
        """Return the other spellings of a kind's names: identifier or alias → entry's name."""
        spellings = self._spellings_of(kind)
        return {other: name for other, name in sorted(spellings.items()) if other != name}

    def refusal(self, kind: str, name: str) -> str | None:
        """Return why a name that Keras has is left out, or None if it is not a refused name."""
        return self._refused.get(kind, {}).get(name)

    def meant(self, kind: str, name: str) -> str | None:
        """Return what a name means that is none of ours but leaves no doubt, or None.

        It is one of ours in other letter case or behind the name of a module
        (`keras.layers.conv2d`), or another tool's for the same (`Linear`). The answer is a
        spelling, or a component with arguments: `Activation: {activation: tanh}`.
        """
        from cnnctl.catalog.synonyms import counterpart

        spellings = self._spellings_of(kind)
        last = name.rpartition(".")[2]
        if last in spellings:
            return last
        if known := counterpart(kind, last):
            return known
        loose = suggest.loosen(last)
        alike = [spelling for spelling in spellings if suggest.loosen(spelling) == loose]
        return self.nearest(kind, last) if alike else None

    def nearest(self, kind: str, name: str) -> str | None:
        """Return the spelling that was probably meant, or None.

        Two-dimensional classes come first among equals, and a layer's alias gives way to its
        name.
        """
        spellings = self._spellings_of(kind)
        candidates = sorted(spellings, key=lambda spelling: ("2D" not in spelling, spelling))
        found = suggest.nearest(name, candidates)
        return spellings[found] if found is not None and kind == "layer" else found

    def complete(self) -> tuple[str, ...]:
        """Add the plug-ins that are installed, once; return what to say of those that fail.

        Who looks a name up and misses it asks for this, and looks again.
        """
        return self._more()

    def add(self, entry: Entry) -> None:
        """Add an entry, a plug-in's for example.

        Raises:
            UsageError: Another entry has its name or one of its identifiers already, or Keras has
                a class of that name that a spec may not use.
        """
        spellings = self._spellings_of(entry.kind)
        for spelling in (entry.name, *entry.identifiers):
            there = self.find(entry.kind, spelling)
            if there is not None or self.refusal(entry.kind, spelling):
                owner = "keras" if there is None else there.source
                owner = {"keras": "Keras's"}.get(owner, f"that of {owner}")
                kind = {"dataset": "data set"}.get(entry.kind, entry.kind.replace("_", " "))
                raise UsageError(
                    f"{entry.source} defines the {kind} {spelling}, which there is already: "
                    f"{owner}",
                    hint="Give it another name.",
                )
        spellings.update(dict.fromkeys((entry.name, *entry.identifiers), entry.name))
        self._entries[entry.kind][entry.name] = entry

    def remove(self, kind: str, name: str) -> None:
        """Take back an entry that was added."""
        entry = self._entries[kind].pop(name)
        for spelling in (name, *entry.identifiers):
            self._spellings[kind].pop(spelling, None)

    def _spellings_of(self, kind: str) -> dict[str, str]:
        if kind not in self._spellings:
            raise ValueError(f"`kind` must be one of {KINDS}. Received: kind={kind}")
        return self._spellings[kind]


@lru_cache(maxsize=1)
def load() -> Catalog:
    """Return the catalog, always the same object, so that plug-ins add to it once."""
    return Catalog(json.loads(STORED.read_bytes()), OWN, REFUSED, lambda: _load_installed())


def complete_by(load_installed: Callable[[], tuple[str, ...]]) -> None:
    """Set how the catalog finds the plug-ins that are installed, once they are asked for.

    Args:
        load_installed: Adds their entries, and returns what to say of those that fail.
    """
    global _load_installed
    _load_installed = load_installed


_load_installed: Callable[[], tuple[str, ...]] = tuple
