"""The SQL of this backend, kept in `.sql` files beside it."""

from collections.abc import Iterator
from functools import cache
from importlib.resources import files
from sqlite3 import complete_statement

_NAME = "-- name: "


@cache
def statements(file: str) -> dict[str, str]:
    """The named statements of `sql/<file>.sql`."""
    text = files(__package__).joinpath("sql", f"{file}.sql").read_text("utf-8")
    parts = text.split(_NAME)[1:]
    return {name.strip(): body for name, _, body in (part.partition("\n") for part in parts)}


@cache
def migrations() -> tuple[str, ...]:
    """The scripts that make the schema, in order: script n leads to `user_version` n."""
    folder = files(__package__).joinpath("migrations")
    scripts = sorted((f for f in folder.iterdir() if f.name.endswith(".sql")), key=lambda f: f.name)
    return tuple(script.read_text("utf-8") for script in scripts)


def split(script: str) -> Iterator[str]:
    """The statements of a script one by one; the body of a trigger stays whole."""
    statement = ""
    for line in script.splitlines(keepends=True):
        statement += line
        if complete_statement(statement):
            yield statement
            statement = ""
