"""`serve` and `worker`: the processes that stay."""

import errno
import signal
import socket
import sys
import threading
from typing import TYPE_CHECKING

import click

from agentic_memory.interfaces.cli.group import Refused
from agentic_memory.interfaces.cli.opening import data_dir, settings_of, unknown_settings
from agentic_memory.interfaces.cli.terminal import note, typed
from agentic_memory.telemetry import Log

if TYPE_CHECKING:
    from rich.text import Text

    from agentic_memory.bootstrap import DevelopmentKeys, Services
    from agentic_memory.interfaces.worker import Worker
    from agentic_memory.settings import Settings

log = Log("process")

ENDINGS = (signal.SIGTERM, signal.SIGINT)


@click.command(short_help="Run the server and its worker.")
@click.option("--host", help="Address to listen on.  [default: HOST, else 127.0.0.1]")
@click.option("--port", help="Port to listen on; 0 takes a free one.  [default: PORT, else 8000]")
@data_dir
def serve(host: str | None, port: str | None, data_dir: str | None) -> None:
    """Run the server and its worker in this process.

    Without keys in the settings it makes development keys, prints them once, and listens on this machine
    alone. Ends cleanly on Ctrl-C and SIGTERM: what was accepted is kept, and processed after the next
    start where it was not yet.

    \b
    Examples:
      agentic-memory serve
      agentic-memory serve --port 8080 --data-dir /var/lib/agentic-memory
    """
    from agentic_memory import bootstrap
    from agentic_memory.interfaces.server import server
    from agentic_memory.telemetry import configure_logging

    given = settings_of(host=host, port=port, data_dir=data_dir)
    if unknown := unknown_settings():
        note(unknown)
    settings, development = bootstrap.with_keys(given)
    end_quietly()
    with listening(settings) as listener:
        configure_logging(settings.log_level, settings.log_format)
        services = bootstrap.build(settings)
        try:
            url = url_of(listener)
            tell_unfilled(services)
            greet(services, url, development)
            log.info("serving", url=url, worker=settings.worker)
            server(services, development=development is not None).run(sockets=[listener])
        finally:
            services.close()  # the server has done so already, unless it never came to run
            log.info("ended")


@click.command(short_help="Process deliveries beside a server.")
@data_dir
def worker(data_dir: str | None) -> None:
    """Process deliveries in this process, beside a server.

    One server with its own worker is enough for most. To use more cores, run the server with WORKER=off
    and as many of these as you like over the same data folder: each delivery is held by one of them.

    \b
    Examples:
      WORKER=off agentic-memory serve &
      agentic-memory worker
    """
    from agentic_memory import bootstrap
    from agentic_memory.interfaces import server
    from agentic_memory.telemetry import configure_logging

    settings = settings_of(data_dir=data_dir)
    configure_logging(settings.log_level, settings.log_format)
    services = bootstrap.build(settings)
    log.info("working", pending=services.storage.inbox.counts().pending)
    try:
        run_until_ended(server.worker(services))
    finally:
        services.close()
    log.info("ended")


def listening(settings: "Settings") -> socket.socket:
    """A socket bound to HOST and PORT, not listening yet. Raises SettingsError where it cannot be had."""
    host, port = settings.host, settings.port
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
    except socket.gaierror:
        raise settings.problem("HOST", f"{host!r} is no address of this machine") from None
    bound = socket.socket(family, kind, protocol)
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        bound.bind(address)
        _refuse_a_second(bound)
    except OSError as error:
        bound.close()
        raise _cannot_bind(settings, error) from None
    return bound


def _refuse_a_second(bound: socket.socket) -> None:
    """With SO_REUSEADDR two sockets can be bound to one port; only one of them can listen."""
    bound.listen(1)


def _cannot_bind(settings: "Settings", error: OSError) -> Exception:
    from agentic_memory.errors import SettingsError

    if error.errno == errno.EADDRINUSE:
        problem = f"{settings.port} is in use on {settings.host}, perhaps by another server"
        return SettingsError(name="PORT", problem=problem, example=settings.port % 65535 + 1)
    if error.errno == errno.EACCES:
        return settings.problem("PORT", f"{settings.port} may not be opened by this user")
    reason = error.strerror or type(error).__name__
    return settings.problem("HOST", f"cannot listen on {settings.host!r} ({reason})")


def url_of(listener: socket.socket) -> str:
    """The address that a bound socket is reached at."""
    host, port = listener.getsockname()[:2]
    if host in {"0.0.0.0", "::"}:
        host = socket.gethostname() if host == "0.0.0.0" else "::1"
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def end_quietly() -> None:
    """Make an ending by signal a success, from now on.

    While the server runs it catches the signals itself, shuts down, and raises them again for whoever
    was there before it: that is this.
    """

    def end(*_: object) -> None:
        sys.exit(0)

    for number in ENDINGS:
        signal.signal(number, end)


def run_until_ended(working: "Worker") -> None:
    """Run a worker until SIGTERM or SIGINT comes. Raises Refused where it ends by itself.

    It runs in a thread of its own; the signal handler does nothing but wake us, so nothing can lock up.
    """
    reader, writer = socket.socketpair()
    with reader, writer:
        writer.setblocking(False)
        asked = threading.Event()

        def run() -> None:
            try:
                working.run()
            finally:
                if not asked.is_set():
                    writer.send(b"!")

        before = signal.set_wakeup_fd(writer.fileno())
        for number in ENDINGS:
            signal.signal(number, lambda *_: None)
        thread = threading.Thread(target=run, name="worker")
        thread.start()
        try:
            told = reader.recv(1)
        finally:
            asked.set()
            working.end()
            thread.join()
            signal.set_wakeup_fd(before)
    if told == b"!":
        raise Refused("The worker ended by itself: its log says why.")


def greet(services: "Services", url: str, development: "DevelopmentKeys | None") -> None:
    """Say where we are: in full on a terminal; new keys everywhere, once."""
    from agentic_memory.interfaces.cli.terminal import console

    out = console()
    fresh = development is not None and development.fresh
    if out.is_terminal:
        from rich.panel import Panel

        lines = _banner(services, url)
        out.print(Panel(lines, title="AgenticMemory", title_align="left", border_style="cyan", padding=(1, 2)))
    if development is not None and fresh:
        _tell_keys(development, url)
    elif out.is_terminal and development is not None:
        out.print(f"Development keys: {development.path} (this machine only)\n", style="dim")


def _banner(services: "Services", url: str) -> "Text":
    from rich.text import Text

    rows = [
        ("Phone rings", f"POST {url}/client-data"),
        ("During the call", f"POST {url}/retrieve"),
        ("After hang-up", f"POST {url}/post-call"),
        ("Health", f"GET  {url}/readyz"),
        ("Data", str(services.settings.data_dir.resolve())),
        _remembering(services),
        ("Agents", agents_in_words(services)),
    ]
    text = Text()
    for label, value in rows:
        text.append(f"{label:<17}", style="bold").append(value + "\n")
    return text.append("\nCtrl-C ends it; what was accepted is kept.", style="dim")


def _remembering(services: "Services") -> tuple[str, str]:
    if services.mem0 is not None:
        return "Memories", f"Mem0 Cloud, {services.settings.mem0_base_url}"
    return "Model", services.model.model_id if services.model.has_vectors else "words alone"


def agents_in_words(services: "Services") -> str:
    """Which profiles there are, and what the agents without one get."""
    settings = services.settings
    names = [name for name in services.profiles.names() if name != settings.default_profile]
    own = f"{len(names)} in {settings.agents_dir}" if names else f"none in {settings.agents_dir}"
    if settings.default_profile == "none":
        return f"{own}; any other agent gets variables only"
    return f"{own}; any other agent is given the profile {settings.default_profile!r}"


def tell_unfilled(services: "Services") -> None:
    """Placeholders in the profiles that no call will fill, on standard error."""
    for line in services.profiles.unfilled:
        note(f"Nothing fills {line}")


def _tell_keys(development: "DevelopmentKeys", url: str) -> None:
    click.echo("Development keys, made just now and shown this once:\n")
    for name, value in sorted(development.values.items()):
        click.echo(f"  {name}={value}")
    click.echo(
        f"\nThey are kept in {development.path} and work on this machine alone: set your own keys\n"
        "before you listen on another address.\n\n"
        f"Next, in another terminal:  {typed()} call stefan-1 --follow --url {url}\n"
        "or connect an agent:        docs/howto/\n"
    )
