"""Delete published versions of a stack's functions that are no longer needed: each keeps a paid snapshot.

    python scripts/prune_versions.py
    python scripts/prune_versions.py --keep 3 --delete

Kept are what an alias points to and the newest, two of them unless told otherwise, so that one can still
roll back. Without --delete it only says what it would do. Needs the aws command line, signed in.
"""

import argparse
import json
import subprocess
import sys
from collections.abc import Collection, Sequence
from typing import Any

FUNCTIONS = tuple(
    f"elevenlabs-agentic-memory-lambda-function-{name}" for name in ("client-data", "search-data", "post-call")
)


def superfluous(versions: Sequence[str], aliased: Collection[str], keep: int) -> list[str]:
    """Versions to delete, oldest first; `$LATEST` is none."""
    numbered = sorted((v for v in versions if v.isdecimal()), key=int)
    return [v for v in numbered[: max(0, len(numbered) - keep)] if v not in aliased]


def aws(*command: str) -> Any:
    """What the aws command line answers."""
    done = subprocess.run(["aws", *command, "--output", "json"], capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(done.stderr.strip() or "the aws command line failed")
    return json.loads(done.stdout) if done.stdout.strip() else None


def prune(function: str, keep: int, *, delete: bool) -> int:
    """How many versions of a function were, or would be, deleted."""
    versions = [v["Version"] for v in aws("lambda", "list-versions-by-function", "--function-name", function)["Versions"]]
    aliased: set[str] = set()
    for alias in aws("lambda", "list-aliases", "--function-name", function)["Aliases"]:
        aliased |= {alias["FunctionVersion"], *alias.get("RoutingConfig", {}).get("AdditionalVersionWeights", {})}
    gone = superfluous(versions, aliased, keep)
    for version in gone if delete else ():
        aws("lambda", "delete-function", "--function-name", function, "--qualifier", version)
    print(f"{function}: {len(gone)} {'deleted' if delete else 'to delete'}{': ' if gone else ''}{', '.join(gone)}")
    return len(gone)


def main() -> None:
    """All three functions that publish versions."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--keep", type=int, default=2, help="newest versions to keep (2)")
    parser.add_argument("--delete", action="store_true", help="delete them; else only say so")
    given = parser.parse_args()
    if given.keep < 1:
        sys.exit("--keep is at least 1")
    for function in FUNCTIONS:
        prune(function, given.keep, delete=given.delete)


if __name__ == "__main__":
    main()
