"""The command line: `agentic-memory serve | demo | search | ...`.

Exit codes: 0 done, 1 failed or nothing found, 2 wrong usage or settings. Errors are one sentence on
standard error, results go to standard output; `--json` gives them for machines. What a command needs is
imported when it runs, so that `--help` is quick.
"""

import click

from agentic_memory import __version__
from agentic_memory.interfaces.cli.calling import call, demo
from agentic_memory.interfaces.cli.checking import check
from agentic_memory.interfaces.cli.group import Commands
from agentic_memory.interfaces.cli.keeping import dead_letters, export, forget, quarantine, replay
from agentic_memory.interfaces.cli.moving import migrate
from agentic_memory.interfaces.cli.reading import callers, memories, search
from agentic_memory.interfaces.cli.serving import serve, worker

SECTIONS = {
    "Try it": (demo, call),
    "Run it": (serve, worker, check),
    "Look inside": (callers, memories, search),
    "Keep it in order": (export, forget, replay, dead_letters, quarantine, migrate),
}


@click.group(
    cls=Commands,
    sections=SECTIONS,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.version_option(__version__, prog_name="agentic-memory", message="%(prog)s %(version)s")
def main() -> None:
    """The memory of voice agents: who is calling, what they said, remembered after hang-up.

    \b
    See it work:     agentic-memory demo
    Run it:          agentic-memory serve

    Settings come from the environment and from a .env file in the working folder; the options of a
    command win over both.
    """
