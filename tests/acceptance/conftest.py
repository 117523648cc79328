"""Real servers and real commands: see `server_process`."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.acceptance.server_process import ServerProcess


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    here = Path(__file__).parent
    for item in items:
        if item.path.is_relative_to(here):
            item.add_marker(pytest.mark.acceptance)


@pytest.fixture
def start_server(tmp_path: Path) -> Iterator[Callable[..., ServerProcess]]:
    """Start a server with these settings; every one of them is ended with the test.

    A second server of the same test shares the data folder unless `folder` names another.
    """
    started: list[ServerProcess] = []

    def start(folder: Path | None = None, **settings: str) -> ServerProcess:
        server = ServerProcess(folder or tmp_path, **settings)
        server.start()
        started.append(server)
        return server

    yield start
    for server in reversed(started):
        server.stop()


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    """One server with words alone for all tests of a module: they share its callers."""
    with ServerProcess(tmp_path_factory.mktemp("server"), EMBEDDER="lexical") as running:
        yield running


@pytest.fixture(scope="module")
def model_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    """The same with the embedding model, loaded."""
    with ServerProcess(tmp_path_factory.mktemp("server"), wait_for_model=True) as running:
        yield running
