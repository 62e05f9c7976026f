"""TensorFlow's remarks while it is imported: turned away, and told where the import fails."""

import os
import subprocess
import sys


def imported(tmp_path, text):
    (tmp_path / "keras.py").write_text("")
    (tmp_path / "tensorflow.py").write_text(text)
    program = f"import sys; sys.path.insert(0, {str(tmp_path)!r})\n"
    program += "from cnnctl.startup import _import\n_import()\n"
    return subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False,
        env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"},
    )  # fmt: skip


def test_remarks_of_an_import_that_succeeds_go_nowhere(tmp_path):
    done = imported(tmp_path, "import os\nos.write(2, b'a remark of C++\\n')\n")
    assert (done.returncode, done.stderr) == (0, "")


def test_remarks_of_an_import_that_fails_are_told_with_it(tmp_path):
    text = "import os\nos.write(2, b'libfoo.so is missing\\n')\nraise ImportError('no foo')\n"
    done = imported(tmp_path, text)
    assert done.returncode == 1
    assert done.stderr.endswith("ImportError: no foo\nlibfoo.so is missing\n\n")
