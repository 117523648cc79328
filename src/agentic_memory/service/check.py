"""Is everything in order? One line for each part, with the way out where it is not."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path

from agentic_memory.domain.caller import DEFAULT_TENANT
from agentic_memory.domain.delivery import InboxCounts
from agentic_memory.engine.memory import Model
from agentic_memory.errors import AgenticMemoryError, StorageCorrupt
from agentic_memory.ports import Archive, RecordStore
from agentic_memory.settings import Settings

LEAST_FREE = 500_000_000
"""Bytes of free disk below which the disk is a matter of concern."""
LONGEST_WAIT = 300.0
"""Seconds a delivery may be pending before it seems that nobody works on the inbox."""
CALLERS_LOOKED_AT = 50
"""Newest callers whose calls tell which agents there are."""


@dataclass(frozen=True, slots=True)
class Line:
    """What was looked at, whether it is in order, what was found, and what to do."""

    name: str
    ok: bool
    detail: str
    way_out: str = ""
    """What to do, a line each; with `ok`, a hint."""


def lines(probes: Iterable[tuple[str, Callable[[], Line]]]) -> Iterator[Line]:
    """Each probe's line as soon as it is known; an error of ours in one of them is a line too."""
    for name, probe in probes:
        try:
            yield replace(probe(), name=name)
        except AgenticMemoryError as error:
            yield Line(name, False, error.message)


def settings_line(settings: Settings, unknown: str = "") -> Line:
    """They were read: what they come to; `unknown` says what was not understood, as a hint."""
    where = f"{settings.host}:{settings.port}, data in {settings.data_dir}"
    return Line("settings", True, f"{where}, retrieve auth {settings.retrieve_auth}", unknown)


def keys_line(settings: Settings, development: Path) -> Line:
    """Whether what must be set is set; `development` is where development keys are kept."""
    names = ("ELEVENLABS_WORKSPACE_KEY", "ELEVENLABS_HMAC_KEY")
    missing = [name for name in names if not getattr(settings, name.lower())]
    if not missing:
        return Line("keys", True, f"set: {', '.join(names)}")
    what = f"{' and '.join(missing)} not set"
    way_out = f"Set {missing[0]} to what your platform sends."
    if not settings.is_loopback:
        return Line("keys", False, f"{what}, but {settings.host} can be reached by others", way_out)
    held = f"kept in {development}" if development.is_file() else "which `serve` will make"
    hint = f"{what}. Set your own before you listen on another address."
    return Line("keys", True, f"development keys, {held}", hint)


def folder_line(folder: Path) -> Line:
    """Whether the data folder, or what it will be made in, can be written."""
    import tempfile

    present = folder
    while not present.exists():
        present = present.parent
    try:
        with tempfile.TemporaryFile(dir=present) as file:
            file.write(b"check")
    except OSError as error:
        reason = error.strerror or type(error).__name__
        way_out = "Give this user the right to write there, or set DATA_DIR to another folder."
        return Line("data folder", False, f"{present.resolve()} cannot be written ({reason})", way_out)
    made = "" if present == folder else " (will be made)"
    return Line("data folder", True, f"{folder.resolve()} can be written{made}")


def disk_line(free: int, total: int) -> Line:
    """Whether there is room; in bytes."""
    detail = f"{_gigabytes(free)} of {_gigabytes(total)} free"
    way_out = "Free some space: deliveries are refused with 503 once the disk is full."
    return Line("disk", free >= LEAST_FREE, detail, "" if free >= LEAST_FREE else way_out)


def database_line(integrity: Callable[[], str], records: RecordStore, model_id: str) -> Line:
    """Whether the file is whole, and how much is in it. Raises StorageError."""
    found = integrity()
    if found != "ok":
        raise StorageCorrupt(reason=found)
    records.ping()
    counts = records.counts(model_id)
    detail = f"whole; callers: {counts.callers:,}, calls: {counts.calls:,}, memories: {counts.memories:,}"
    hint = ""
    if counts.stale_vectors:
        detail += f", callers not embedded yet: {counts.stale_vectors:,}"
        hint = "The running server embeds them in the background; until then words find them."
    return Line("database", True, detail, hint)


def archive_line(archive: Archive, where: Path) -> Line:
    """Whether something could be written to it. Raises ArchiveError."""
    archive.ping()
    newest = len(list(islice(archive.entries(), 1)))
    return Line("archive", True, f"{where} can be written{'' if newest else ', nothing in it yet'}")


def model_line(model: Model) -> Line:
    """Whether the model loads, has the weights that we know, and embeds."""
    if not model.has_vectors:
        return Line("model", True, "none: recall goes by words alone, as EMBEDDER=lexical asks")
    model.load()
    vector = model.embed_question("Does it work?") if model.problem is None else None
    if vector is None or not len(vector):
        way_out = "Install the package again; recall goes by words alone until then."
        return Line("model", False, model.problem or "it embeds nothing", way_out)
    detail = f"{model.model_id}: weights verified, {len(vector)} dimensions, embeds"
    return Line("model", True, detail)


def mem0_line(ping: Callable[[], Mapping[str, object]], settings: Settings) -> Line:
    """Whether Mem0 Cloud answers, and whether the key belongs where it should. Raises MemoryUnavailable."""
    told = ping()
    found = {"MEM0_ORG_ID": str(told.get("org_id")), "MEM0_PROJECT_ID": str(told.get("project_id"))}
    wanted = {"MEM0_ORG_ID": settings.mem0_org_id, "MEM0_PROJECT_ID": settings.mem0_project_id}
    wrong = [name for name, value in wanted.items() if value and value != found[name]]
    detail = f"{settings.mem0_base_url} answers: {found['MEM0_ORG_ID']}, {found['MEM0_PROJECT_ID']}"
    if wrong:
        asked = ", ".join(f"{name} is {wanted[name]}" for name in wrong)
        return Line("mem0", False, f"{detail}, but {asked}", "The key belongs to another project: set MEM0_API_KEY to this one's.")
    hint = "" if all(wanted.values()) else "With MEM0_ORG_ID and MEM0_PROJECT_ID set, this line tells a key of another project."
    return Line("mem0", True, detail, hint)


def agents_line(names: Sequence[str], settings: Settings, unfilled: Sequence[str] = ()) -> Line:
    """The profiles, which have all been read to get here; `unfilled` are placeholders that nothing fills."""
    found = ", ".join(names) if names else "none"
    hint = "\n".join(f"Nothing fills {line}" for line in unfilled)
    return Line("agent profiles", True, f"{found} in {settings.agents_dir}", hint)


def default_profile_line(names: Sequence[str], seen: Iterable[str], settings: Settings) -> Line:
    """Which agents are given the default profile: replacing a prompt must never go unnoticed."""
    default = settings.default_profile
    if default == "none" or settings.prompt_override == "off":
        return Line("other agents", True, "get variables only")
    served = sorted(set(seen) - set(names))
    if not served:
        return Line("other agents", True, f"would be given the profile {default!r}; none has called yet")
    hint = (
        f"Their own prompts are replaced. If that is not wanted: {settings.agents_dir}/<agent_id>.toml, "
        "or DEFAULT_PROFILE=none."
    )
    return Line("other agents", True, f"given the profile {default!r}: {', '.join(served)}", hint)


def inbox_line(counts: InboxCounts, now: float) -> Line:
    """Whether deliveries are worked on, and whether any were set aside."""
    age = 0.0 if counts.oldest_pending_at is None else max(0.0, now - counts.oldest_pending_at)
    parts = [f"{counts.pending:,} pending", f"{counts.dead:,} dead", f"{counts.quarantined:,} quarantined"]
    if counts.pending:
        parts[0] += f" (oldest {_duration(age)})"
    ways = []
    if counts.dead:
        ways.append("See `agentic-memory dead-letters`; then `agentic-memory replay --dead`.")
    if counts.quarantined:
        ways.append("Mend ELEVENLABS_HMAC_KEY, then `agentic-memory replay --quarantine`.")
    if age > LONGEST_WAIT:
        ways.append("Is a worker running? `agentic-memory serve`, or `worker` where WORKER=off.")
    return Line("inbox", not ways, ", ".join(parts), "\n".join(ways))


def agents_seen(records: RecordStore) -> set[str]:
    """Agent ids in the calls of the newest callers. Raises StorageError."""
    page = records.callers(DEFAULT_TENANT, limit=CALLERS_LOOKED_AT)
    seen: set[str] = set()
    for caller in page.callers:
        loaded = records.load(DEFAULT_TENANT, caller.caller_id, with_calls=False)
        calls = loaded.calls if loaded else ()
        seen.update(r.call.agent_id for r in calls if r.call.agent_id)
    return seen


def _gigabytes(number: int) -> str:
    return f"{number / 1e9:,.1f} GB"


def _duration(seconds: float) -> str:
    for length, unit in ((86400, "day"), (3600, "hour"), (60, "minute")):
        if seconds >= length:
            count = int(seconds // length)
            return f"{count} {unit}{'' if count == 1 else 's'}"
    return f"{int(seconds)} s"
