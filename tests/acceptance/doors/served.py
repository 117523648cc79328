"""The embedded server as a door: a real process over a real SQLite file, asked by HTTP."""

from collections.abc import Mapping
from pathlib import Path
from urllib.parse import unquote

from tests.acceptance.doors.door import SETTINGS, Counts, Door
from tests.acceptance.server_process import Answer, ServerProcess


class Served(Door):
    """`agentic-memory serve`."""

    def __init__(self, folder: Path, **settings: str) -> None:
        self._server = ServerProcess(folder, **{**SETTINGS, **settings})
        self._server.start()

    def ask(self, method: str, path: str, body: bytes = b"", headers: Mapping[str, str] | None = None) -> Answer:
        return self._server.request(method, path, body or None, headers)

    def settle(self) -> None:
        self._server.wait_until_remembered()

    def counts(self) -> Counts:
        return Counts(**self._server.inbox())

    def replay(self, source: str) -> int:
        replayed: int = self._server.admin("POST", "/v1/replay", {"source": source}).value["replayed"]
        return replayed

    def forget(self, caller: str) -> bool:
        erased: bool = self._server.admin("DELETE", f"/v1/callers/{caller}").value["erased"]
        return erased

    def archived(self, prefix: str) -> Mapping[str, bytes]:
        folder = self._server.data_dir / "archive"
        files = (path for path in folder.rglob("*") if path.is_file())
        contents = {unquote(path.relative_to(folder).as_posix()): path.read_bytes() for path in files}
        return {key: content for key, content in contents.items() if key.startswith(prefix)}

    def reopen(self, **settings: str) -> None:
        self._server.stop()
        self._server.environment |= settings
        self._server.start()

    def close(self) -> None:
        self._server.stop()
