"""Where the trials of a sweep are kept: an embedded file, or a database that machines share."""

from __future__ import annotations

import importlib.util
import logging
import re
import sqlite3
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cnnctl.errors import RunError, UsageError
from cnnctl.sweep.heartbeat import GRACE, INTERVAL
from cnnctl.sweep.sweep_folder import SweepFolder

if TYPE_CHECKING:
    from optuna.storages import BaseStorage, RetryHeartbeatStaleTrialCallback

EMBEDDED = "study.db"
"""The SQLite file in a sweep's folder, where no other storage is named."""

_ATTEMPTS = 5
"""How often a new database is asked again, whose tables another process is just making."""


def require() -> None:
    """Look whether Optuna is installed.

    Raises:
        UsageError: It is not.
    """
    if importlib.util.find_spec("optuna") is None:
        raise UsageError("cnnctl sweep needs optuna", hint="pip install 'cnnctl[sweep]'")


def quiet() -> None:
    """Import Optuna so that neither its log nor its warnings reach the screen."""
    require()
    import optuna

    optuna.logging.disable_default_handler()
    optuna.logging.set_verbosity(optuna.logging.CRITICAL)
    warnings.filterwarnings("ignore", module="optuna")
    warnings.filterwarnings("ignore", category=optuna.exceptions.ExperimentalWarning)
    logging.getLogger("alembic").setLevel(logging.CRITICAL)


def file_of(url: str | None, folder: SweepFolder) -> Path | None:
    """The file that a storage is, where it is one.

    Args:
        url: What `--storage` names: a database's URL, or a file for Optuna's journal; None for
            the embedded file.
        folder: The sweep's folder.

    Raises:
        UsageError: It is neither.
    """
    if url is None:
        return folder.path / EMBEDDED
    if url.startswith("sqlite:///"):
        return Path(url.removeprefix("sqlite:///"))
    if "://" in url:
        return None
    if not url or re.match(r"\w{2,}:", url):
        raise UsageError(
            f"--storage {url or repr(url)} is neither a database nor a file",
            hint="such as sqlite:///study.db, mysql://user@host/name, or study.journal",
        )
    return Path(url)


def is_journal(url: str | None) -> bool:
    """Whether a storage is Optuna's journal, and no database."""
    return url is not None and "://" not in url


def retry() -> RetryHeartbeatStaleTrialCallback:
    """What puts a new trial in the place of a lost one, with all that is known of it."""
    from optuna.storages import RetryHeartbeatStaleTrialCallback

    return RetryHeartbeatStaleTrialCallback(inherit_intermediate_values=True)


def open_storage(url: str | None, folder: SweepFolder) -> BaseStorage:
    """Open a storage; a file that is not there yet is made.

    Raises:
        UsageError: There is no such kind of database, or its driver is not installed.
        RunError: It cannot be reached, or is of another version.
    """
    quiet()
    import optuna
    import sqlalchemy.exc
    from optuna.storages.journal import JournalFileBackend

    file = file_of(url, folder)
    if file is not None and not file.parent.is_dir():
        raise UsageError(f"there is no folder {file.parent} for --storage {url}")
    with answering(url, folder):
        try:
            if file is None:
                return _database(str(url), {"pool_pre_ping": True})
            if not is_journal(url):
                return _database(f"sqlite:///{file}", {"creator": partial(_connected, file)})
        except (sqlalchemy.exc.ArgumentError, ImportError) as error:
            raise UsageError(
                f"--storage {_without_password(url)}: {_first_line(error)}",
                hint="a driver may have to be installed, such as `pip install pymysql` for "
                "mysql+pymysql://…",
            ) from error
        _refuse_other_files(file)
        return optuna.storages.JournalStorage(JournalFileBackend(str(file)))


@contextmanager
def answering(url: str | None, folder: SweepFolder) -> Iterator[None]:
    """While a storage is used.

    Raises:
        RunError: It does not answer, or is damaged.
    """
    import optuna
    import sqlalchemy.exc

    name = _without_password(url or str(folder.path / EMBEDDED))
    try:
        yield
    except (
        optuna.exceptions.StorageInternalError,
        sqlalchemy.exc.SQLAlchemyError,
        sqlite3.Error,
    ) as error:
        cause = error.__cause__ or error
        raise RunError(f"cannot reach the storage {name}: {_first_line(cause)}") from error
    except (RuntimeError, ValueError, OSError) as error:
        raise RunError(f"cannot use the storage {name}: {_first_line(error)}") from error


def _refuse_other_files(file: Path) -> None:
    """Refuse to append to a file that is no journal.

    Raises:
        UsageError: It is none.
    """
    if not file.exists():
        return
    with file.open("rb") as opened:
        first = opened.read(64)
    if first and not first.startswith(b'{"op_code":'):
        raise UsageError(
            f"{file} is not a journal of Optuna's", hint="--storage NEW_FILE makes one"
        )


def _connected(file: Path) -> sqlite3.Connection:
    """A connection to an SQLite file that waits for others, and need not wait for the disk at each
    line: a log beside the file is whole whenever a process, or the machine, ends."""
    connection = sqlite3.connect(file, timeout=60, check_same_thread=False)
    try:
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=NORMAL")
    except BaseException:
        connection.close()
        raise
    return connection


def _database(url: str, options: dict[str, Any]) -> BaseStorage:
    """Optuna's storage in a database. Two processes may make the tables of a new one at once, and
    one of them is refused: it asks again."""
    import optuna
    import sqlalchemy.exc

    for attempt in range(_ATTEMPTS):
        try:
            return optuna.storages.RDBStorage(
                url,
                engine_kwargs=options,
                heartbeat_interval=INTERVAL,
                grace_period=GRACE,
                heartbeat_stale_trial_callback=retry(),
            )
        except (
            optuna.exceptions.StorageInternalError,
            sqlalchemy.exc.OperationalError,
            sqlalchemy.exc.IntegrityError,
            sqlalchemy.exc.ProgrammingError,
        ) as error:
            if attempt + 1 == _ATTEMPTS or "exist" not in str(error.__cause__ or error):
                raise
            time.sleep(0.2 * (attempt + 1))
    raise AssertionError


def _first_line(error: BaseException) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return lines[0] if lines else type(error).__name__


def _without_password(url: str | None) -> str:
    """A URL as it may be shown."""
    return re.sub(r"(://[^:/@]+):[^@]*@", r"\1:…@", url or "")
