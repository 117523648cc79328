"""What a folder adds to an archive: it may vanish, fill up, or be left in the middle of a write."""

import fcntl
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agentic_memory.backends.archive.local_folder import LocalArchive
from agentic_memory.errors import ArchiveError, ArchiveKeyInvalid, ArchiveUnavailable


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "archive"


@pytest.fixture
def archive(path: Path) -> LocalArchive:
    return LocalArchive(path)


def files(path: Path) -> list[str]:
    found = (f.relative_to(path).as_posix() for f in path.rglob("*") if f.is_file())
    return sorted(name for name in found if name != ".archive")


USES = {
    "put": lambda archive: archive.put("k/2", b"x"),
    "get": lambda archive: archive.get("k/1"),
    "exists": lambda archive: archive.exists("k/1"),
    "entries": lambda archive: list(archive.entries()),
    "delete": lambda archive: archive.delete("k/1"),
    "ping": lambda archive: archive.ping(),
}


@pytest.mark.parametrize("use", USES)
def test_a_folder_that_vanishes_is_not_made_anew(archive: LocalArchive, path: Path, use: str) -> None:
    archive.put("k/1", b"x")
    path.rename(path.with_name("elsewhere"))
    with pytest.raises(ArchiveUnavailable, match="vanished") as error:
        USES[use](archive)
    assert error.value.retryable
    assert not path.exists()
    path.with_name("elsewhere").rename(path)
    USES[use](archive)


@pytest.mark.parametrize("use", USES)
def test_an_empty_mount_point_is_not_taken_for_the_archive(archive: LocalArchive, path: Path, use: str) -> None:
    archive.put("k/1", b"x")
    path.rename(path.with_name("elsewhere"))
    path.mkdir()
    with pytest.raises(ArchiveUnavailable):
        USES[use](archive)
    assert list(path.iterdir()) == []


def test_a_folder_that_vanishes_in_the_middle_of_a_write(archive: LocalArchive, path: Path) -> None:
    def chunks() -> Iterator[bytes]:
        yield b"half"
        path.rename(path.with_name("elsewhere"))
        yield b"other half"

    with pytest.raises(ArchiveUnavailable):
        archive.put("k/1", chunks())
    assert not path.exists()


@pytest.mark.parametrize("where", ["file", "file/below", "/proc/none"])
def test_a_place_that_cannot_be(tmp_path: Path, where: str) -> None:
    (tmp_path / "file").write_text("a file")
    with pytest.raises(ArchiveUnavailable):
        LocalArchive(tmp_path / where)


def test_opening_again_finds_everything_and_clears_leftovers(archive: LocalArchive, path: Path) -> None:
    archive.put("k/1", b"x")
    (path / ".incoming" / "left").write_bytes(b"half")
    again = LocalArchive(path)
    assert again.get("k/1") == b"x"
    assert files(path) == ["k/1"]


def test_what_another_process_is_writing_is_no_leftover(archive: LocalArchive, path: Path) -> None:
    written = path / ".incoming" / "written"
    with written.open("xb") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        LocalArchive(path)
        assert written.exists()
    LocalArchive(path)
    assert not written.exists()


def test_what_a_killed_writer_left_goes_with_the_next_deletion(archive: LocalArchive, path: Path) -> None:
    left, written = path / ".incoming" / "left", path / ".incoming" / "written"
    left.write_bytes(b"half of what somebody said")
    with written.open("xb") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        assert not archive.delete("never")
        assert (left.exists(), written.exists()) == (False, True)


def test_nothing_is_left_beside_the_objects(archive: LocalArchive, path: Path) -> None:
    archive.put("a/b/c", b"x")
    archive.put("a/b/c", b"y")
    archive.put("a/d", [b"x", b"y"])
    archive.ping()
    assert files(path) == ["a/b/c", "a/d"]


def test_empty_folders_go_with_their_last_object(archive: LocalArchive, path: Path) -> None:
    archive.put("a/b/c", b"x")
    archive.put("a/d", b"x")
    archive.delete("a/b/c")
    assert not (path / "a" / "b").exists()
    archive.delete("a/d")
    assert {f.name for f in path.iterdir()} == {".archive", ".incoming"}


def test_only_its_owner_reads_it(path: Path, archive: LocalArchive) -> None:
    assert path.stat().st_mode & 0o077 == 0


@pytest.mark.parametrize(("first", "second"), [("a", "a/b"), ("a/b", "a"), ("a", "a/b/c")])
def test_a_key_that_is_the_folder_of_another_is_refused(archive: LocalArchive, first: str, second: str) -> None:
    archive.put(first, b"x")
    with pytest.raises(ArchiveKeyInvalid):
        archive.put(second, b"x")
    assert [entry.key for entry in archive.entries()] == [first]


@pytest.mark.parametrize("key", ["x" * 256, "ü" * 43, "a/" + "\udc80", "\ud800"])
def test_a_key_that_no_file_system_holds_is_refused(archive: LocalArchive, key: str) -> None:
    with pytest.raises(ArchiveKeyInvalid):
        archive.put(key, b"x")


@given(st.text(max_size=30).map(lambda text: f"post-call/{text}"))
def test_no_key_leads_out_of_the_folder(tmp_path_factory: pytest.TempPathFactory, key: str) -> None:
    path = tmp_path_factory.mktemp("archive") / "archive"
    archive = LocalArchive(path)
    try:
        archive.put(key, b"x")
    except ArchiveError:
        assert files(path) == []
    else:
        assert [entry.key for entry in archive.entries()] == [key]
        assert archive.get(key) == b"x"
        assert len(files(path)) == 1
    assert list(path.parent.iterdir()) == [path]
