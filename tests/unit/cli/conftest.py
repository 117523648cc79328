"""Commands in this process, in a folder of their own, with nothing of our environment."""

import json
import logging
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from agentic_memory import bootstrap
from agentic_memory.bootstrap import Services
from agentic_memory.interfaces.cli import main
from agentic_memory.interfaces.demo.script import CALLS
from agentic_memory.settings import SETTINGS, read
from agentic_memory.telemetry import ROOT

Run = Callable[..., Result]


@pytest.fixture(autouse=True)
def closed_world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for setting in SETTINGS:
        monkeypatch.delenv(setting.name, raising=False)
        monkeypatch.delenv(f"{setting.name}_FILE", raising=False)
    monkeypatch.setenv("EMBEDDER", "lexical")
    monkeypatch.chdir(tmp_path)
    logger = logging.getLogger(ROOT)
    before = logger.handlers[:], logger.level, logger.propagate
    yield
    logger.handlers[:], logger.level, logger.propagate = before


@pytest.fixture
def run() -> Run:
    """Run a command line; `env` adds settings, `input` is what is typed."""

    def run(*arguments: str, input: str | bytes = "", **env: str) -> Result:
        return CliRunner().invoke(main, arguments, input=input, env=env)

    return run


@pytest.fixture(scope="session")
def remembered(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder that holds the demonstration's calls; to be copied, not changed."""
    folder = tmp_path_factory.mktemp("remembered")
    services = services_over(folder)
    for call in CALLS:
        body = json.dumps(call.webhook()).encode()
        services.storage.inbox.submit(services.accept_call.delivery(body, services.clock.now())).result()
    while services.work_inbox():
        pass
    services.close()
    return folder


@pytest.fixture
def data(remembered: Path, tmp_path: Path) -> Path:
    """`./data`, where commands look unless told otherwise, with the demonstration's calls."""
    return Path(shutil.copytree(remembered, tmp_path / "data"))


def services_over(folder: Path, **more: str) -> Services:
    """Services with words alone and known keys."""
    environment = {
        "EMBEDDER": "lexical",
        "DATA_DIR": str(folder),
        "ELEVENLABS_WORKSPACE_KEY": "wk_cli",
        "ELEVENLABS_HMAC_KEY": "wsec_cli",
        **more,
    }
    return bootstrap.build(read(environment, folder=folder))
