"""A process that is killed while it accepts loses nothing that it has acknowledged."""

import random
import subprocess
import sys
import time
from pathlib import Path

from agentic_memory.backends.sqlite.database import Database
from agentic_memory.backends.sqlite.inbox import SqliteInbox

ACCEPT = """
import os, sys
from concurrent.futures import ThreadPoolExecutor
from agentic_memory.backends.sqlite.database import Database
from agentic_memory.backends.sqlite.inbox import SqliteInbox
from tests.contract.samples import delivery

inbox, first = SqliteInbox(Database(sys.argv[1])), int(sys.argv[2])

def accept(number):
    name = f"d{number}"
    inbox.submit(delivery(name, body=name.encode() * 500)).result()
    os.write(1, f"{name}\\n".encode())

with ThreadPoolExecutor(16) as pool:
    for number in range(first, first + 100_000):
        pool.submit(accept, number)
"""

ROUNDS = 5


def test_what_was_acknowledged_is_there_after_a_kill(tmp_path: Path) -> None:
    path, chance = tmp_path / "memory.db", random.Random(1)
    acknowledged: set[bytes] = set()
    for number in range(ROUNDS):
        arguments = [sys.executable, "-c", ACCEPT, str(path), str(number * 1_000_000)]
        with subprocess.Popen(arguments, stdout=subprocess.PIPE) as process:
            assert process.stdout is not None
            told = [process.stdout.readline()]  # it is at work
            time.sleep(chance.uniform(0.0, 0.15))
            process.kill()
            told += process.stdout.readlines()
        acknowledged |= {line[:-1] for line in told if line.endswith(b"\n")}
    database = Database(path)
    kept = {d.body[: len(d.body) // 500] for d in SqliteInbox(database).claim(10**6, 1e9, 60.0)}
    integrity = database.integrity()
    database.close()
    assert integrity == "ok"
    assert len(acknowledged) > ROUNDS
    assert acknowledged <= kept
