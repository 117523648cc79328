"""What every archive keeps, sentence by sentence of the port."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from threading import Thread

import pytest

from agentic_memory.backends.s3.archive import S3Archive
from agentic_memory.errors import ArchiveKeyInvalid, ArchiveKeyMissing, LeaseLost, MalformedPayload
from agentic_memory.ports import Archive, ArchiveEntry

KEYS = [
    "post-call/conv_1/body.json",
    "a",
    "with space/ü ñ 漢.json",
    "%41/%2e%2e/x",
    "col:on/back\\slash/que?ry*",
    ".hidden/.incoming",
    "-",
    "...",
    "UPPER/lower",
    "a b\nc\x7f",
]


def test_what_is_put_is_got(archive: Archive) -> None:
    assert archive.put("post-call/1.json", b"one")
    assert archive.get("post-call/1.json") == b"one"
    assert archive.exists("post-call/1.json")


def test_chunks_are_joined(archive: Archive) -> None:
    assert archive.put("audio/1.mp3", iter([b"on", b"", b"e"]))
    assert archive.get("audio/1.mp3") == b"one"
    assert archive.put("empty", [])
    assert archive.get("empty") == b""


def test_the_first_one_stays(archive: Archive) -> None:
    assert archive.put("k", b"first")
    assert not archive.put("k", b"second")
    assert not archive.put("k", iter([b"third"]))
    assert archive.get("k") == b"first"


def test_of_many_writers_one_stores(archive: Archive) -> None:
    with ThreadPoolExecutor(8) as pool:
        stored = list(pool.map(lambda n: archive.put("deep/er/k", bytes([n]) * 10_000), range(16)))
    assert stored.count(True) == 1
    assert archive.get("deep/er/k") == bytes([stored.index(True)]) * 10_000


def test_who_may_no_longer_store_stores_nothing(archive: Archive) -> None:
    def lost() -> None:
        raise LeaseLost(delivery="1")

    with pytest.raises(LeaseLost):
        archive.put("k/1", b"one", lost)
    assert not archive.exists("k/1")
    assert list(archive.entries()) == []
    assert archive.put("k/1", b"one", lambda: None)
    assert not archive.put("k/1", b"two", lambda: None)


def test_what_is_deleted_while_it_is_being_put_is_gone(archive: Archive) -> None:
    """The one who takes the right away and then deletes finds the object, or it is never stored."""
    deleting: list[Thread] = []

    def still() -> None:
        if not deleting:
            deleting.append(Thread(target=archive.delete, args=("k/1",)))
            deleting[0].start()
            deleting[0].join(0.1)  # ends only where nothing holds it back

    archive.put("k/1", b"one", still)
    deleting[0].join(10)
    assert isinstance(archive, S3Archive) or not archive.exists("k/1")


def test_a_stream_that_breaks_leaves_nothing(archive: Archive) -> None:
    def broken() -> Iterator[bytes]:
        yield b"half"
        raise MalformedPayload(reason="broken")

    with pytest.raises(MalformedPayload):
        archive.put("k/1", broken())
    assert not archive.exists("k/1")
    assert list(archive.entries()) == []
    assert archive.put("k/1", b"whole")


def test_a_missing_key(archive: Archive) -> None:
    archive.put("there/is", b"")
    for key in ("never", "there", "there/isnt", "there/is/more"):
        with pytest.raises(ArchiveKeyMissing, match=key):
            archive.get(key)
        assert not archive.exists(key)
        assert not archive.delete(key)


@pytest.mark.parametrize("key", KEYS)
def test_any_relative_key_is_kept_under_its_own_name(archive: Archive, key: str) -> None:
    assert archive.put(key, b"x")
    assert archive.exists(key)
    assert archive.get(key) == b"x"
    assert list(archive.entries()) == [ArchiveEntry(key, 1)]
    assert archive.delete(key)
    assert list(archive.entries()) == []


@pytest.mark.parametrize(
    "key", ["", "/", "/etc/passwd", "..", "a/../b", "../a", "a/..", ".", "./a", "a//b", "a/", "nul\0", "x/" * 600 + "x"]
)
def test_a_key_that_is_none_is_refused(archive: Archive, key: str) -> None:
    with pytest.raises(ArchiveKeyInvalid):
        archive.put(key, b"x")
    with pytest.raises(ArchiveKeyInvalid):
        archive.get(key)
    with pytest.raises(ArchiveKeyInvalid):
        archive.exists(key)
    with pytest.raises(ArchiveKeyInvalid):
        archive.delete(key)


def test_entries_come_in_the_order_of_their_keys(archive: Archive) -> None:
    keys = ["b", "a/z", "a-b", "a/b/c", "a0", "a b", "é/x", "Z", "a/%", "a/b c"]
    for key in keys:
        archive.put(key, key.encode())
    assert list(archive.entries()) == [ArchiveEntry(key, len(key.encode())) for key in sorted(keys)]


@pytest.mark.parametrize(
    ("prefix", "expected"),
    [
        ("post-call/", ["post-call/conv_1/a", "post-call/conv_10/a"]),
        ("post-call/conv_1", ["post-call/conv_1/a", "post-call/conv_10/a"]),
        ("post-call/conv_1/", ["post-call/conv_1/a"]),
        ("post-call/conv_1/a", ["post-call/conv_1/a"]),
        ("post", ["post-call/conv_1/a", "post-call/conv_10/a", "postage"]),
        ("none", []),
    ],
)
def test_entries_of_a_prefix(archive: Archive, prefix: str, expected: list[str]) -> None:
    for key in ("post-call/conv_1/a", "post-call/conv_10/a", "postage", "audio/x", "p"):
        archive.put(key, b"")
    assert [entry.key for entry in archive.entries(prefix)] == expected


def test_deleting_says_whether_it_existed(archive: Archive) -> None:
    archive.put("a/b/c", b"x")
    archive.put("a/d", b"y")
    assert archive.delete("a/b/c")
    assert not archive.delete("a/b/c")
    assert not archive.exists("a/b/c")
    assert archive.get("a/d") == b"y"
    assert archive.put("a/b/c", b"again")


def test_puts_and_deletes_in_one_folder_do_not_meet(archive: Archive) -> None:
    def there_and_back(number: int) -> bool:
        return all(archive.put(f"f/g/{number}", b"x") and archive.delete(f"f/g/{number}") for _ in range(10))

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(there_and_back, range(8)))
    assert list(archive.entries()) == []


def test_ping_leaves_nothing(archive: Archive) -> None:
    archive.ping()
    assert list(archive.entries()) == []
