"""Agents' profiles as a folder of TOML files: `<agent_id>.toml`, read again when they change."""

import re
import stat
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from agentic_memory.backends.profiles.document import ProfileProblem, read_profile
from agentic_memory.backends.profiles.placeholders import missing_variables, unknown_placeholders
from agentic_memory.domain.initiation import Profile
from agentic_memory.errors import SettingsError

NO_PROFILE = "none"
PACKAGED = ("memoir",)
FILE_BYTES = 1024 * 1024
SERVED_LIMIT = 1000

# No dot and no slash: an id can never name a file outside the folder.
_AGENT_ID = re.compile(r"[A-Za-z0-9_-]{1,100}")
_Stamp = tuple[int, int, int]


@dataclass(frozen=True, slots=True)
class _Entry:
    """One file as last read: `profile` is the last good version, None if there never was one."""

    stamp: _Stamp
    profile: Profile | None
    problem: str = ""
    unfilled: tuple[str, ...] = ()
    """Its placeholders that nothing fills."""


_Reader = Callable[[str], _Entry | None]


class ProfileFolder:
    """Profiles by agent id; agents without a file of their own get the default profile.

    Safe to call from several threads. A file that breaks while we run keeps serving its last good
    version; an agent whose file never was good gets no profile, rather than a stranger's prompt.
    """

    def __init__(self, folder: Path, default: str = "memoir") -> None:
        """`default`: a file's stem in `folder`, a packaged profile (`memoir`), or `none`.

        The folder may be missing. Raises SettingsError for a broken file or an unknown default.
        """
        self._folder = folder
        self._default = default
        self._entries: dict[str, _Entry] = {}
        self._served_by_default: frozenset[str] = frozenset()
        self._packaged = _packaged(default) if default in PACKAGED else None
        self.check()

    @property
    def served_by_default(self) -> frozenset[str]:
        """Agent ids that were given the default profile's prompt so far (the first 1,000)."""
        return self._served_by_default

    @property
    def problems(self) -> Mapping[str, str]:
        """What is wrong with files that broke since the start, by file name."""
        entries = self._entries.copy()
        return {f"{name}.toml": entry.problem for name, entry in entries.items() if entry.problem}

    @property
    def unfilled(self) -> tuple[str, ...]:
        """Placeholders in the files as last read that nothing will fill: a line each, with file and place.

        They stop no call: one in single braces is said as it is written, a variable is sent empty.
        """
        read = sorted((name, entry.unfilled) for name, entry in self._entries.copy().items())
        return tuple(f"{name}.toml: {line}" for name, lines in read for line in lines)

    def profile(self, agent_id: str | None) -> Profile | None:
        """The agent's profile, or the default one; None for variables only. Costs one or two stat calls."""
        return self._chosen(agent_id, self._read)

    def known(self, agent_id: str | None) -> Profile | None:
        """The same from memory alone, as last read: touches no file."""
        return self._chosen(agent_id, self._entries.get)

    def names(self) -> tuple[str, ...]:
        """The agent ids (and default profiles) that have a file, sorted."""
        try:
            found = [path.stem for path in self._folder.glob("*.toml")]
        except OSError as error:
            raise self._wrong(f"{self._folder} cannot be read ({type(error).__name__})") from None
        return tuple(sorted(found))

    def check(self) -> None:
        """Read every file anew. Raises SettingsError naming the first that is wrong, and its line."""
        for name in self.names():
            if not _AGENT_ID.fullmatch(name):
                raise self._wrong(f"{self._folder / name}.toml: no agent id has such a name")
            entry = self._read(name)
            if entry is not None and entry.problem:
                raise self._wrong(f"{self._folder / name}.toml: {entry.problem}")
        self._check_default()

    def _check_default(self) -> None:
        known = self._default == NO_PROFILE or self._packaged is not None
        if not known and self._read(self._default) is None:
            problem = f"there is no {self._default}.toml in {self._folder}, and no packaged profile of that name"
            raise SettingsError(name="DEFAULT_PROFILE", problem=problem, example=PACKAGED[0])

    def _wrong(self, problem: str) -> SettingsError:
        return SettingsError(name="AGENTS_DIR", problem=problem, example="./agents")

    def _chosen(self, agent_id: str | None, read: _Reader) -> Profile | None:
        own = read(agent_id) if agent_id and _AGENT_ID.fullmatch(agent_id) else None
        if own is not None:
            return own.profile
        if self._default == NO_PROFILE:
            return None
        self._note_default(agent_id)
        entry = read(self._default)
        return entry.profile if entry is not None and entry.profile is not None else self._packaged

    def _note_default(self, agent_id: str | None) -> None:
        served = self._served_by_default
        if agent_id and agent_id not in served and len(served) < SERVED_LIMIT:
            self._served_by_default = served | {agent_id[:100]}

    def _read(self, name: str) -> _Entry | None:
        """The file as it is now; None where there is none."""
        if not _AGENT_ID.fullmatch(name):
            return None
        path = self._folder / f"{name}.toml"
        last = self._entries.get(name)
        try:
            status = path.stat()
        except (FileNotFoundError, NotADirectoryError):
            self._entries.pop(name, None)
            return None
        except OSError as error:
            return self._broken(name, (0, 0, 0), f"cannot be read ({type(error).__name__})")
        if not stat.S_ISREG(status.st_mode):
            return self._broken(name, (0, 0, 0), "is no file")
        stamp = (status.st_mtime_ns, status.st_size, status.st_ino)
        if last is not None and last.stamp == stamp:
            return last
        return self._parsed(name, path, stamp)

    def _parsed(self, name: str, path: Path, stamp: _Stamp) -> _Entry:
        if stamp[1] > FILE_BYTES:
            return self._broken(name, stamp, f"larger than {FILE_BYTES} bytes")
        try:
            profile = read_profile(name, path.read_bytes())
        except OSError as error:
            return self._broken(name, (0, 0, 0), f"cannot be read ({type(error).__name__})")
        except ProfileProblem as error:
            return self._broken(name, stamp, str(error))
        given = {**dict.fromkeys(missing_variables(profile), ""), **profile.variables}
        unfilled = unknown_placeholders(profile)
        self._entries[name] = entry = _Entry(stamp, replace(profile, variables=given), "", unfilled)
        return entry

    def _broken(self, name: str, stamp: _Stamp, problem: str) -> _Entry:
        last = self._entries.get(name, _Entry(stamp, None))
        self._entries[name] = entry = replace(last, stamp=stamp, problem=problem)
        return entry


def _packaged(name: str) -> Profile:
    from importlib.resources import files

    return read_profile(name, files("agentic_memory").joinpath("agents", f"{name}.toml").read_bytes())
