"""How commands are listed, and how what they raise is said: one sentence, never a traceback."""

import io
import sys
from collections.abc import Mapping, Sequence
from typing import Any

import click

from agentic_memory.errors import AgenticMemoryError, SettingsError

FAILED = 1
WRONG_USAGE = 2


class Refused(click.ClickException):
    """It failed, or nothing was found: one sentence on standard error."""

    exit_code = FAILED


class WrongUsage(Refused):
    """Wrong usage or wrong settings."""

    exit_code = WRONG_USAGE


class Commands(click.Group):
    """The group of all commands, listed by what they are for."""

    def __init__(
        self,
        *,
        sections: Mapping[str, Sequence[click.Command]],
        **attributes: Any,
    ) -> None:
        """`sections`: heading to commands, both in the order of the help page."""
        super().__init__(**attributes)
        self.sections = sections
        for commands in sections.values():
            for command in commands:
                self.add_command(command)

    def list_commands(self, ctx: click.Context) -> list[str]:
        """In the order of the help page."""
        return [str(c.name) for commands in self.sections.values() for c in commands]

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """One block a section."""
        width = max(map(len, self.list_commands(ctx)))
        for heading, commands in self.sections.items():
            rows = [(str(c.name).ljust(width), c.get_short_help_str(80)) for c in commands]
            with formatter.section(heading):
                formatter.write_dl(rows)

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command; what it raises becomes one sentence and an exit code."""
        write_what_can_be_written()
        try:
            return super().invoke(ctx)
        except SettingsError as error:
            raise WrongUsage(error.message) from error
        except AgenticMemoryError as error:
            raise Refused(error.message) from error
        except BrokenPipeError:
            raise  # whoever read us has gone: click ends quietly
        except OSError as error:
            where = f": {error.filename}" if error.filename else ""
            raise Refused(f"{error.strerror or type(error).__name__}{where}") from error


def write_what_can_be_written() -> None:
    """On a terminal that knows fewer letters than people's names have, the others become `?`."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")
