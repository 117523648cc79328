"""Settings and services for a command."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from agentic_memory.interfaces.cli.group import Refused

if TYPE_CHECKING:
    from agentic_memory.bootstrap import Services
    from agentic_memory.settings import Settings

data_dir = click.option(
    "--data-dir",
    metavar="FOLDER",
    help="Folder of the database and the archive.  [default: DATA_DIR, else ./data]",
)


def settings_of(**given: object) -> "Settings":
    """The settings, with what was given on the command line. Raises SettingsError."""
    from agentic_memory import settings

    named = {name: str(value) for name, value in given.items() if value is not None}
    return settings.read(None, folder=None, **named)


def unknown_settings() -> str:
    """One sentence about names in `.env` that no setting has, names only; empty where there are none."""
    from agentic_memory import settings

    return settings.unknown_in_words(settings.unknown_names())


@contextmanager
def opened(folder: str | None, *, must_exist: bool = True) -> "Iterator[Services]":
    """The services over a data folder, closed again at the end.

    With `must_exist`, a folder without a database is refused rather than filled with an empty one.
    """
    from agentic_memory import bootstrap
    from agentic_memory.telemetry import configure_logging

    settings = settings_of(data_dir=folder)
    path = bootstrap.database_path(settings)
    if must_exist and not path.is_file():
        raise Refused(no_database(path))
    level = "WARNING" if settings.log_level == "INFO" else settings.log_level
    configure_logging(level, settings.log_format)
    services = bootstrap.build(settings)
    try:
        yield services
    finally:
        services.close()


def no_database(path: Path) -> str:
    """What to say when there is nothing to look into."""
    return (
        f"There is no database at {path} yet. `agentic-memory serve` makes one; "
        "--data-dir names another folder."
    )
