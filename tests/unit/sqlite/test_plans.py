"""How SQLite carries out the statements: nothing on the way of a call reads a whole table."""

import re

import pytest

from agentic_memory.backends.sqlite.database import Database
from agentic_memory.backends.sqlite.statements import migrations, split, statements

WHOLE = {
    "tally": "five rows",
    "kept_bodies": "erasing looks into every body that is kept",
    "quarantine_ids": "bounded, in the order of its index",
    "count_quarantine": "bounded, an index alone",
    "count_dead": "an index of the dead alone",
    "count_pending": "an index of the pending alone",
    "next_due": "the first entry of its index",
    "dead_letters": "an index of the dead alone",
    "revive_all": "an index of the dead alone",
    "recover": "an index of the pending alone",
    "ping": "one row",
}
NAMED = [(file, name) for file in ("records", "inbox", "database") for name in statements(file)]


def plan(database: Database, statement: str) -> list[str]:
    code = re.sub("--.*", "", statement)
    named = dict.fromkeys(re.findall(r":(\w+)", code))
    parameters = named or (None,) * code.count("?")
    rows = database.read(lambda c: c.execute(f"EXPLAIN QUERY PLAN {code}", parameters).fetchall())
    return [str(row[3]) for row in rows]


@pytest.mark.parametrize(("file", "name"), NAMED)
def test_no_statement_reads_a_whole_table(database: Database, file: str, name: str) -> None:
    steps = plan(database, statements(file)[name])
    # "SCAN (subquery-1)" reads the outcome of steps that are listed themselves.
    scans = [s for s in steps if s.startswith("SCAN") and "subquery" not in s and "CONSTANT" not in s]
    assert name in WHOLE or not scans, scans


@pytest.mark.parametrize("name", ["caller", "callers_page", "due", "stale"])
def test_the_hot_statements_sort_nothing(database: Database, name: str) -> None:
    file = "inbox" if name == "due" else "records"
    steps = plan(database, statements(file)[name])
    assert not [step for step in steps if "TEMP B-TREE FOR ORDER BY" in step]
    assert [step for step in steps if "INDEX" in step]


def test_each_statement_and_migration_is_complete() -> None:
    for file in ("records", "inbox", "database"):
        for name, statement in statements(file).items():
            assert statement.rstrip().endswith(";"), name
            assert len(list(split(statement))) == 1, name
    for script in migrations():
        assert "".join(split(script)) == script
