"""Accept a post-call webhook: verify, dedupe, make durable. Nothing else happens on this path."""

import hashlib
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from enum import StrEnum

from agentic_memory.domain.caller import DEFAULT_TENANT
from agentic_memory.domain.delivery import Accepted, NewDelivery, Quarantined, dedupe_key
from agentic_memory.ports import Clock, Inbox, Platform, SignatureCheck
from agentic_memory.telemetry import Log

log = Log("accept")


class Outcome(StrEnum):
    """What became of a delivery."""

    ACCEPTED = "accepted"
    DUPLICATE = "duplicate"
    QUARANTINED = "quarantined"
    REJECTED = "rejected"


@dataclass(frozen=True, slots=True)
class QuarantineBounds:
    """How much unverified material is kept; `keep=False` keeps none and answers 401."""

    max_count: int
    max_bytes: int
    keep: bool = True


class AcceptCall:
    """The use-case behind `POST /post-call`."""

    def __init__(
        self,
        platform: Platform,
        inbox: Inbox,
        clock: Clock,
        secrets: Sequence[str],
        bounds: QuarantineBounds,
        on_accepted: Callable[[], None] = lambda: None,
    ) -> None:
        """`secrets` are the webhook's signing secrets, any of which may have signed.

        `on_accepted` wakes whoever works through the inbox.
        """
        self._platform = platform
        self._inbox = inbox
        self._clock = clock
        self._secrets = tuple(secrets)
        self._bounds = bounds
        self._on_accepted = on_accepted
        self._aside = ThreadPoolExecutor(1, "quarantine")

    def __call__(self, body: bytes, signature: str) -> "Future[Outcome]":
        """Take in one body with its signature header.

        The future resolves when the body is durable; with StorageError when it could not be made so.
        """
        now = self._clock.now()
        check = self._platform.verify(body, signature, self._secrets, now)
        if not check.ok:
            return self._refuse(body, signature, check, now)
        return self._outcome(self._inbox.submit(self.delivery(body, now)))

    def delivery(self, body: bytes, received_at: float) -> NewDelivery:
        """The delivery that a verified body makes."""
        envelope = self._platform.envelope(body)
        return NewDelivery(
            tenant=DEFAULT_TENANT,
            platform=self._platform.name,
            dedupe_key=dedupe_key(envelope, body),
            body=body,
            received_at=received_at,
            envelope=envelope,
        )

    def is_recording(self, body: bytes) -> bool:
        """Whether a body is a recording, which may be larger than a transcript."""
        return self._platform.is_recording(body)

    def close(self) -> None:
        """Finish what is being set aside."""
        self._aside.shutdown(wait=True)

    def _refuse(
        self, body: bytes, signature: str, check: SignatureCheck, now: float
    ) -> "Future[Outcome]":
        """Set aside what a mended key may yet verify; the rest is told that it was not kept."""
        if self._bounds.keep and check.mendable:
            return self._aside.submit(self._set_aside, body, signature, check.reason, now)
        log.warning("signature_refused", reason=check.reason, outcome=str(Outcome.REJECTED), bytes=len(body))
        refused: Future[Outcome] = Future()
        refused.set_result(Outcome.REJECTED)
        return refused

    def _set_aside(self, body: bytes, signature: str, reason: str, now: float) -> Outcome:
        kept = self._inbox.quarantine(
            Quarantined(
                id=hashlib.sha256(body).hexdigest(),
                platform=self._platform.name,
                body=body,
                signature=signature[:1000],
                received_at=now,
            ),
            self._bounds.max_count,
            self._bounds.max_bytes,
        )
        outcome = Outcome.QUARANTINED if kept else Outcome.REJECTED
        log.warning("signature_refused", reason=reason, outcome=str(outcome), bytes=len(body))
        return outcome

    def _outcome(self, accepted: "Future[Accepted]") -> "Future[Outcome]":
        result: Future[Outcome] = Future()

        def resolve(done: "Future[Accepted]") -> None:
            error = done.exception()
            if error is not None:
                result.set_exception(error)
            elif done.result().duplicate:
                result.set_result(Outcome.DUPLICATE)
            else:
                result.set_result(Outcome.ACCEPTED)
                self._on_accepted()

        accepted.add_done_callback(resolve)
        return result
