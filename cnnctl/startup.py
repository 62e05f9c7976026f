"""TensorFlow and Keras, imported quietly and set up as specs mean them."""

from __future__ import annotations

import os
import sys
import tempfile

from cnnctl.errors import UsageError

_NOT_NEEDED = ("matplotlib", "pandas", "sklearn")
"""What Keras imports where it is there: for drawings that cnnctl makes itself, for tables as data,
and for a place in scikit-learn's pipelines. It takes 0.4, 0.3 and 0.8 s."""


def quiet() -> None:
    """Import TensorFlow and Keras without TensorFlow's start-up remarks.

    They are written by C++ before its own log level counts, straight to the file descriptor; so
    that is what is turned away while the import lasts. A backend that the user's `keras.json`
    names is not cnnctl's: specs mean TensorFlow everywhere.

    Raises:
        UsageError: Keras was imported before with another backend.
    """
    if "keras" not in sys.modules:
        _import()
    import keras

    if (backend := keras.backend.backend()) != "tensorflow":
        raise UsageError(
            f"Keras runs on {backend} in this process, and cnnctl trains with TensorFlow",
            hint="set the environment variable KERAS_BACKEND=tensorflow before Keras is imported",
        )
    keras.config.set_floatx("float32")
    keras.config.set_image_data_format("channels_last")


def _import() -> None:
    """Import TensorFlow and Keras for the first time in this process."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    if "tensorflow" not in sys.modules:  # which reads it when it is imported
        os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")
    # Else the gradient of a convolution's kernel is prepared anew in every step.
    os.environ.setdefault("TF_MKL_OPTIMIZE_PRIMITIVE_MEMUSE", "0")
    os.environ["KERAS_BACKEND"] = "tensorflow"
    sys.stderr.flush()
    kept = os.dup(2)
    hidden = [name for name in _NOT_NEEDED if name not in sys.modules]
    sys.modules.update(dict.fromkeys(hidden))  # type: ignore[arg-type]
    with tempfile.TemporaryFile() as remarks:
        os.dup2(remarks.fileno(), 2)
        try:
            import keras  # noqa: F401
            import tensorflow  # noqa: F401
        except Exception as error:
            remarks.seek(0)
            error.add_note(remarks.read().decode(errors="replace"))
            raise
        finally:
            os.dup2(kept, 2)
            os.close(kept)
            for name in hidden:
                del sys.modules[name]
