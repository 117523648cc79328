"""The functions' wiring: keys that rotate, one part's needs, a call filed by its number."""

import json
import re
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from agentic_memory.backends.in_memory.archive import InMemoryArchive
from agentic_memory.bootstrap_aws import KEYS_AGAIN, KEYS_FOR, KeyRing, Stack, retry_rules
from agentic_memory.errors import SecretUnavailable, SettingsError
from agentic_memory.interfaces.emf import EmbeddedMetrics
from agentic_memory.service.file_call import FileCall
from agentic_memory.service.file_ring import AnsweredRing, ring_in
from agentic_memory.service.remember_call import EventOutcome, Identity
from agentic_memory.settings import AwsSettings, read, read_aws
from tests.fakes import FrozenClock
from tests.unit.test_aws_secrets import Service
from tests.wire import STEFAN, House, post_call


@pytest.fixture
def service(monkeypatch: pytest.MonkeyPatch) -> Iterator[Service]:
    made = Service()
    given = {
        "MEMORY_SECRET_ID": "keys", "AWS_ENDPOINT_URL": made.url,
        "AWS_ACCESS_KEY_ID": "AKIA", "AWS_SECRET_ACCESS_KEY": "s",
    }  # fmt: skip
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    with made.running():
        yield made


def aws() -> AwsSettings:
    return read_aws()


def test_keys_are_read_once_in_five_minutes(service: Service) -> None:
    clock = FrozenClock()
    ring = KeyRing(aws(), clock)
    assert ring.read() == {"elevenlabs_hmac_key": "wsec_new"}
    service.versions = {"AWSCURRENT": {"ELEVENLABS_HMAC_KEY": "wsec_newer"}, "AWSPREVIOUS": {"ELEVENLABS_HMAC_KEY": "wsec_new"}}
    clock.tick(KEYS_FOR - 1)
    assert ring.read() == {"elevenlabs_hmac_key": "wsec_new"}
    clock.tick(1)
    assert ring.read() == {"elevenlabs_hmac_key": "wsec_newer,wsec_new"}


def test_what_is_no_key_has_one_value_and_what_is_no_setting_none(service: Service) -> None:
    service.versions = {"AWSCURRENT": {"MEM0_ORG_ID": "org_b", "OTHER": "x"}, "AWSPREVIOUS": {"MEM0_ORG_ID": "org_a"}}
    assert KeyRing(aws(), FrozenClock()).read() == {"mem0_org_id": "org_b"}


def test_the_keys_read_last_serve_while_none_can_be_read(service: Service) -> None:
    clock = FrozenClock()
    ring = KeyRing(aws(), clock)
    held = ring.read()
    service.status = 500
    clock.tick(KEYS_FOR)
    assert ring.read() == held
    asked = len(service.asked)
    clock.tick(KEYS_AGAIN - 1)
    assert ring.read() == held
    assert len(service.asked) == asked
    clock.tick(1)
    service.status = 200
    service.versions = {"AWSCURRENT": {"ELEVENLABS_HMAC_KEY": "wsec_last"}}
    assert ring.read() == {"elevenlabs_hmac_key": "wsec_last"}


def test_without_any_keys_nothing_opens(service: Service) -> None:
    service.status = 500
    with pytest.raises(SecretUnavailable):
        KeyRing(aws(), FrozenClock()).read()


def test_services_are_made_once_and_anew_with_new_keys(service: Service) -> None:
    clock = FrozenClock()
    stack, metrics = Stack("client_data", clock), EmbeddedMetrics("client_data")
    first = stack.services(metrics)
    assert stack.services(metrics) is first
    service.versions = {"AWSCURRENT": {"ELEVENLABS_HMAC_KEY": "other"}}
    clock.tick(KEYS_FOR)
    again = stack.services(metrics)
    assert again is not first
    assert tuple(again.settings.elevenlabs_hmac_key) == ("other",)


class Queue:
    """SQS as it takes one message after another."""

    def __init__(self) -> None:
        self.taken: list[dict[str, str]] = []
        self.status = 200
        queue = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                assert self.headers["X-Amz-Target"] == "AmazonSQS.SendMessage"
                assert self.headers["Content-Type"] == "application/x-amz-json-1.0"
                assert "/sqs/aws4_request" in self.headers["Authorization"]
                queue.taken.append(json.loads(body))
                self.send_response(queue.status)
                self.send_header("Content-Length", "2")
                self.end_headers()
                self.wfile.write(b"{}")

            def log_message(self, *_: object) -> None:
                pass

        self.server = HTTPServer(("127.0.0.1", 0), Handler)


@pytest.fixture
def queue(monkeypatch: pytest.MonkeyPatch) -> Iterator[Queue]:
    made = Queue()
    given = {
        "AWS_ENDPOINT_URL": f"http://127.0.0.1:{made.server.server_port}", "AWS_ACCESS_KEY_ID": "AKIA",
        "AWS_SECRET_ACCESS_KEY": "s", "MEMORY_QUEUE_URL": "https://sqs/queue", "ARCHIVE_CLIENT_DATA": "on",
        "MEMORY_BACKEND": "engine", "MEMORY_SECRET_ID": "",
    }  # fmt: skip
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    thread = threading.Thread(target=made.server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield made
    finally:
        made.server.shutdown()
        thread.join()
        made.server.server_close()


def test_a_ring_is_handed_to_the_worker_by_one_message(queue: Queue) -> None:
    clock = FrozenClock()
    services = Stack("client_data", clock).services(EmbeddedMetrics("client_data"))
    services.keep_ring("CA1", STEFAN, b'{"caller_id": 1}', b'{"type": 2}')
    (message,) = queue.taken
    assert (message["QueueUrl"], message["MessageGroupId"]) == ("https://sqs/queue", "rings")
    ring = AnsweredRing(STEFAN, "CA1", clock.now(), b'{"caller_id": 1}', b'{"type": 2}')
    assert ring_in(message["MessageBody"]) == ring


@pytest.mark.parametrize(("status", "size", "sent"), [(500, 1, 1), (200, 300_000, 0)])
def test_a_ring_that_cannot_be_handed_over_is_logged(
    queue: Queue, caplog: pytest.LogCaptureFixture, status: int, size: int, sent: int
) -> None:
    queue.status = status
    services = Stack("client_data", FrozenClock()).services(EmbeddedMetrics("client_data"))
    with caplog.at_level("WARNING", "agentic_memory"):
        services.keep_ring(None, STEFAN, b"x" * size, b"{}")
    assert "ring_not_kept" in caplog.text
    assert STEFAN not in caplog.text
    assert len(queue.taken) == sent


@pytest.mark.parametrize("name", ["client_data", "retrieve", "worker"])
def test_nobody_knows_who_is_on_the_line_without_a_table(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RETRIEVE_AUTH", "active_call")
    with pytest.raises(SettingsError, match="RETRIEVE_AUTH"):
        Stack(name, FrozenClock())


def test_with_a_table_they_know(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RETRIEVE_AUTH", "active_call")
    monkeypatch.setenv("MEMORY_TABLE_NAME", "table")
    Stack("client_data", FrozenClock())


def filed(house: House, body: bytes) -> InMemoryArchive:
    services, archive, done = house.services, InMemoryArchive(), []
    book = services.phone_book
    house.hang_up(body)
    (delivery,) = services.storage.inbox.claim(1, house.clock.now(), 60)

    def process(_: object) -> tuple[EventOutcome, ...]:
        done.append(list(archive.entries()))
        return ()

    identity = Identity(book.normalise, book.person)
    held = services.storage.inbox.check_held
    FileCall(process, services.platform, archive, services.storage.records, identity, held)(delivery)
    assert len(done) == 1
    assert done[0] == list(archive.entries()), "filed only after the delivery was done with"
    return archive


def test_five_attempts_outlast_an_outage_of_minutes() -> None:
    rules = retry_rules(read(None, folder=None, worker_attempts="5", worker_lease="360"))
    assert (rules.attempts, rules.lease) == (5, 360.0)
    delays = [rules.delay(attempts, 0.0) for attempts in range(1, rules.attempts)]
    assert sum(delays) > 25 * 60
    assert max(delays) * 1.2 < 12 * 3600, "SQS hides a message for twelve hours at most"


def test_a_call_is_filed_by_its_number_before_it_is_done_with(house: House) -> None:
    body = post_call("conv_1", STEFAN, [("user", "I like tea.")])
    archive = filed(house, body)
    assert archive.get(f"post-call/{STEFAN}/conv_1.json") == body
    assert f"post-call/{STEFAN}/conv_1.json" in house.services.storage.records.traces("default", STEFAN).archive_keys


@pytest.mark.parametrize("caller", ["anonymous", None])
def test_nobodys_call_is_not_filed(house: House, caller: str | None) -> None:
    assert not list(filed(house, post_call("conv_1", caller)).entries())


def test_an_id_cannot_leave_its_folder(house: House) -> None:
    body = post_call("../../x", STEFAN, [("user", "I like tea.")])
    (entry,) = filed(house, body).entries()
    assert re.fullmatch(rf"post-call/\{STEFAN}/______x-[0-9a-f]{{16}}\.json", entry.key)


@pytest.mark.parametrize("body", [b"{", json.dumps({"type": "something_else"}).encode()])
def test_what_is_no_call_is_left_to_the_worker(house: House, body: bytes) -> None:
    assert not list(filed(house, body).entries())
