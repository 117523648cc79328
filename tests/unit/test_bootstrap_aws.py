"""The functions' wiring: keys that rotate, one part's needs, a call filed by its number."""

import json
from collections.abc import Iterator

import pytest

from agentic_memory.backends.in_memory.archive import InMemoryArchive
from agentic_memory.bootstrap_aws import KEYS_AGAIN, KEYS_FOR, KeyRing, Stack
from agentic_memory.errors import SecretUnavailable
from agentic_memory.interfaces.emf import EmbeddedMetrics
from agentic_memory.service.file_call import FileCall
from agentic_memory.service.remember_call import EventOutcome, Identity
from agentic_memory.settings import AwsSettings, read_aws
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


def filed(house: House, body: bytes) -> InMemoryArchive:
    services, archive, done = house.services, InMemoryArchive(), []
    book = services.phone_book
    house.hang_up(body)
    (delivery,) = services.storage.inbox.claim(1, house.clock.now(), 60)

    def process(_: object) -> tuple[EventOutcome, ...]:
        done.append(list(archive.entries()))
        return ()

    identity = Identity(book.normalise, book.person)
    FileCall(process, services.platform, archive, services.storage.records, identity)(delivery)
    assert len(done) == 1
    assert done[0] == list(archive.entries()), "filed only after the delivery was done with"
    return archive


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
    assert entry.key == f"post-call/{STEFAN}/______x.json"


@pytest.mark.parametrize("body", [b"{", json.dumps({"type": "something_else"}).encode()])
def test_what_is_no_call_is_left_to_the_worker(house: House, body: bytes) -> None:
    assert not list(filed(house, body).entries())
