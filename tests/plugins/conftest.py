"""What is registered inside a test is forgotten after it."""

from __future__ import annotations

import pytest

from cnnctl.plugins import record, registering


@pytest.fixture
def register():
    """The decorator, without `@`: registers a class or function for one test."""
    before, loaded = registering.keys(), record.loaded()
    yield registering.register
    registering.forget(registering.keys() - before)
    record._loaded[:] = loaded
