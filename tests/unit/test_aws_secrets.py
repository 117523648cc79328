"""Keys out of the secret: signed as AWS signs, tolerant of a service that is down, rotated without a gap."""

import json
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
from botocore import auth, awsrequest, credentials
from hypothesis import given
from hypothesis import strategies as st

from agentic_memory.backends.aws_plain.secret import Secret
from agentic_memory.backends.aws_plain.signing import Credentials, signed
from agentic_memory.errors import SecretUnavailable
from agentic_memory.settings import Keys, read_aws

NOW = 1_795_000_000.0
HEADERS = {"Host": "secretsmanager.eu-central-1.amazonaws.com", "Content-Type": "application/x-amz-json-1.1"}


@given(st.binary(max_size=200), st.sampled_from([Keys(), Keys(("token",))]), st.text("abc/+=", min_size=1))
def test_a_request_is_signed_as_botocore_signs_it(body: bytes, token: Keys, secret: str) -> None:
    mine = signed(Credentials("AKIA", Keys((secret,)), token), "eu-central-1", "secretsmanager", HEADERS, body, NOW)
    request = awsrequest.AWSRequest("POST", f"https://{HEADERS['Host']}/", data=body, headers=dict(HEADERS))
    given = credentials.Credentials("AKIA", secret, token[0] if token else None)
    signer = auth.SigV4Auth(given, "secretsmanager", "eu-central-1")
    request.context["timestamp"] = datetime.fromtimestamp(NOW, UTC).strftime("%Y%m%dT%H%M%SZ")
    request.headers["X-Amz-Date"] = request.context["timestamp"]
    if token:
        request.headers["X-Amz-Security-Token"] = token[0]
    signature = signer.signature(signer.string_to_sign(request, signer.canonical_request(request)), request)
    assert mine["Authorization"].endswith(f"Signature={signature}")


class Service:
    """Secrets Manager, and the credentials of a function that was restored from a snapshot."""

    def __init__(self) -> None:
        self.versions: dict[str, object] = {"AWSCURRENT": {"ELEVENLABS_HMAC_KEY": "wsec_new"}}
        self.status = 200
        self.asked: list[Mapping[str, str]] = []
        service = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                assert self.headers["Authorization"] == "container"
                self.answer(200, {"AccessKeyId": "ASIA", "SecretAccessKey": "s", "Token": "t"})

            def do_POST(self) -> None:
                asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                service.asked.append({**asked, "by": self.headers["Authorization"]})
                held = service.versions.get(asked["VersionStage"])
                if held is None:
                    self.answer(400, {"__type": "ResourceNotFoundException"})
                else:
                    text = held if isinstance(held, str) else json.dumps(held)
                    self.answer(service.status, {"SecretString": text})

            def answer(self, status: int, value: object) -> None:
                body = json.dumps(value).encode()
                self.send_response(status)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                pass

        self.server = HTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"

    def secret(self, **more: str) -> Secret:
        given = {"AWS_ACCESS_KEY_ID": "AKIA", "AWS_SECRET_ACCESS_KEY": "s", **more}
        return Secret(read_aws({"MEMORY_SECRET_ID": "keys", "AWS_ENDPOINT_URL": self.url, **given}))


    @contextmanager
    def running(self) -> Iterator[None]:
        thread = threading.Thread(target=self.server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield
        finally:
            self.server.shutdown()
            thread.join()
            self.server.server_close()


@pytest.fixture
def service() -> Iterator[Service]:
    made = Service()
    with made.running():
        yield made


def test_a_secret_that_was_never_rotated_has_one_version(service: Service) -> None:
    assert service.secret().versions(NOW) == ({"ELEVENLABS_HMAC_KEY": "wsec_new"}, {})
    assert [asked["VersionStage"] for asked in service.asked] == ["AWSCURRENT", "AWSPREVIOUS"]
    assert {asked["SecretId"] for asked in service.asked} == {"keys"}


def test_both_versions_of_a_rotated_secret_are_read(service: Service) -> None:
    service.versions["AWSPREVIOUS"] = {"ELEVENLABS_HMAC_KEY": "wsec_old", "NUMBER": 7, "EMPTY": ""}
    assert service.secret().versions(NOW)[1] == {"ELEVENLABS_HMAC_KEY": "wsec_old"}


def test_a_restored_function_asks_for_its_credentials(service: Service) -> None:
    more = {
        "AWS_ACCESS_KEY_ID": "",
        "AWS_CONTAINER_CREDENTIALS_FULL_URI": f"{service.url}/credentials",
        "AWS_CONTAINER_AUTHORIZATION_TOKEN": "container",
    }
    service.secret(**more).versions(NOW)
    assert "Credential=ASIA/" in service.asked[0]["by"]


@pytest.mark.parametrize("held", ["", "no json", "[]", '{"SecretString"', "{}"])
def test_a_secret_that_is_no_object_is_unavailable(service: Service, held: str) -> None:
    service.versions["AWSCURRENT"] = held or "[1]"
    with pytest.raises(SecretUnavailable):
        service.secret().versions(NOW)


@pytest.mark.parametrize("status", [403, 500])
def test_a_refusal_says_its_status_and_nothing_else(service: Service, status: int) -> None:
    service.status = status
    with pytest.raises(SecretUnavailable, match=f"status {status}"):
        service.secret().versions(NOW)


def test_a_service_that_is_not_there_is_unavailable() -> None:
    given = {"AWS_ACCESS_KEY_ID": "AKIA", "AWS_SECRET_ACCESS_KEY": "s", "AWS_ENDPOINT_URL": "http://127.0.0.1:9"}
    with pytest.raises(SecretUnavailable):
        Secret(read_aws({"MEMORY_SECRET_ID": "keys", **given})).versions(NOW)


def test_settings_of_the_stack_show_no_key() -> None:
    found = read_aws({"AWS_SECRET_ACCESS_KEY": "hidden", "AWS_SESSION_TOKEN": "hidden,too"})
    assert "hidden" not in repr(found)
    assert found.aws_session_token == ("hidden,too",)
