"""The endpoints over the services: what every door serves, wired once."""

from agentic_memory import bootstrap
from agentic_memory.bootstrap import Services
from agentic_memory.interfaces.at_hand import AtHand
from agentic_memory.interfaces.endpoints import Access, Endpoints, UseCases
from agentic_memory.platforms.elevenlabs import initiation


class Wire:
    """ElevenLabs' form of the ringing phone."""

    ring = staticmethod(initiation.ring)
    answer = staticmethod(initiation.answer)


def endpoints(services: Services, *, warms: bool = True) -> Endpoints:
    """The three endpoints and the health checks over these services.

    `warms`: a ring warms the caller's memory for the searches that follow. Not where another process has those.
    """
    settings = services.settings
    return Endpoints(
        UseCases(
            brief_caller=services.brief_caller,
            search_memory=services.search_memory,
            accept_call=services.accept_call,
            wire=Wire(),
            afterwards=services.afterwards if warms else services.note,
            health=lambda: bootstrap.health(services),
            keep_ring=services.keep_ring if settings.archive_client_data else None,
            note=services.note,
            at_hand=_at_hand(services),
        ),
        Access(
            settings.elevenlabs_workspace_key,
            settings.retrieve_auth,
            services.tokens,
            services.has_active_call,
        ),
        settings.mem0_search_limit,
        settings.max_body_bytes,
        services.metrics.count,
    )


def _at_hand(services: Services) -> AtHand | None:
    """None where a brief is far away, and where each ring is kept with its answer."""
    look = services.storage.glance
    if look is None or services.mem0 is not None or services.settings.archive_client_data:
        return None
    at_hand = AtHand(look, services.profiles.known, services.clock)
    services.brief_caller.also_forgets = at_hand.forget
    return at_hand
