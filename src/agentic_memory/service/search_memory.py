"""Search what one caller once said: the use-case behind `POST /retrieve`."""

from collections.abc import Callable
from dataclasses import replace

from agentic_memory.domain.caller import DEFAULT_TENANT
from agentic_memory.domain.memory import Findings, Found
from agentic_memory.domain.sensitivity import masked_alike
from agentic_memory.ports import Clock, MemoryBackend


class SearchMemory:
    """Finds memories of one caller and of nobody else."""

    def __init__(
        self, backend: MemoryBackend, normalise: Callable[[str | None], str | None], clock: Clock
    ) -> None:
        """`normalise` turns a user id as given into a caller id; None for nobody."""
        self._backend = backend
        self._normalise = normalise
        self._clock = clock

    def person(self, user_id: str) -> str | None:
        """The caller id that `user_id` stands for; None for withheld numbers and placeholders."""
        return self._normalise(user_id)

    def __call__(self, person: str | None, query: str, limit: int) -> Findings:
        """At most `limit` memories of `person`, best first; nobody has none. Raises StorageError.

        Card numbers, codes, PINs and passwords are masked in texts and quotes, whichever backend found
        them: an agent must not read them aloud. The transcript keeps the words.
        """
        if person is None:
            return Findings(())
        findings = self._backend.search(DEFAULT_TENANT, person, query, limit, self._clock.now())
        return replace(findings, results=tuple(map(_tellable, findings.results)))


def _tellable(found: Found) -> Found:
    text, quote = masked_alike(found.text, found.quote or "")
    if text == found.text and quote == (found.quote or ""):
        return found
    return replace(found, text=text, quote=quote if found.quote else None)
