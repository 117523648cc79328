"""One process: the ASGI application with its worker, served by uvicorn."""

import sys
from collections.abc import Callable
from typing import TYPE_CHECKING

from agentic_memory import bootstrap
from agentic_memory.bootstrap import Services
from agentic_memory.interfaces.admin import Admin, AdminAccess, AdminCases
from agentic_memory.interfaces.asgi import App, Bounds
from agentic_memory.interfaces.http import Routes
from agentic_memory.interfaces.openapi import description
from agentic_memory.interfaces.rate_limit import TokenBuckets
from agentic_memory.interfaces.wiring import endpoints
from agentic_memory.interfaces.worker import Beat, Beats, Worker

if TYPE_CHECKING:
    import uvicorn

ADMIN_SECONDS = 60.0
"""How long an admin request may take."""
NOTICE_SECONDS = 1.0
"""How long a caller whom another process has erased may be kept in this one's memory."""
SWITCH_INTERVAL = 0.0005
"""Seconds a thread may keep the interpreter while another waits: a ring must not wait for a hang-up."""


def admin(services: Services, *, development: bool) -> Admin:
    """The admin API over these services."""
    settings = services.settings
    return Admin(
        AdminCases(
            callers=services.callers,
            forget=services.forget,
            replay=services.replay,
            inbox=services.storage.inbox,
            hmac_secrets=settings.elevenlabs_hmac_key,
            metrics=lambda: services.metrics.exposition(bootstrap.gauges(services)),
            description=description,
        ),
        AdminAccess(settings.admin_key, open_on_loopback=development and settings.is_loopback),
    )


def worker(services: Services) -> Worker:
    """The worker over these services."""
    return Worker(
        services.work_inbox,
        services.engine.refresh_vectors,
        services.storage.inbox,
        services.clock,
        services.prepare,
        [Beat("leases", services.work_inbox.renewal, services.work_inbox.renew)],
    )


def application(services: Services, *, development: bool = False) -> App:
    """The ASGI application; its life starts and ends the worker and closes the services."""
    settings = services.settings
    three = endpoints(services)
    routes = Routes((*three.routes(), *admin(services, development=development).routes()))
    start, stop = _life(services)
    return App(
        routes,
        three,
        Bounds(
            client_data_seconds=settings.client_data_timeout,
            retrieve_seconds=settings.retrieve_timeout,
            admin_seconds=ADMIN_SECONDS,
            body_bytes=settings.max_body_bytes,
            audio_bytes=settings.max_audio_bytes,
            plausible=lambda signature: (
                services.platform.plausible(signature, services.clock.now())
            ),
        ),
        TokenBuckets(settings.rate_limit),
        services.metrics,
        services.clock,
        (start, stop),
    )


def _life(services: Services) -> tuple[Callable[[], None], Callable[[], None]]:
    working = worker(services) if services.settings.worker else None
    beats = Beats([Beat("erasures", NOTICE_SECONDS, services.notice_erasures)])

    def start() -> None:
        beats.start()
        sys.setswitchinterval(SWITCH_INTERVAL)
        if working is None:
            services.prepare_in_background()
        else:
            services.bell.listener = working.wake
            services.bell.is_heard = working.is_alive
            working.start()

    def stop() -> None:
        beats.stop()
        if working is not None:
            working.stop()
        services.close()

    return start, stop


def server(services: Services, *, development: bool = False) -> "uvicorn.Server":
    """The HTTP server, not started yet."""
    import uvicorn

    from agentic_memory.interfaces.bounded_http import BoundedHttp

    settings = services.settings
    return uvicorn.Server(
        uvicorn.Config(
            application(services, development=development),
            host=settings.host,
            port=settings.port,
            lifespan="on",
            access_log=False,
            log_config=None,
            http=BoundedHttp,
            ws="none",
            server_header=False,
            timeout_graceful_shutdown=20,
            backlog=2048,
        )
    )
