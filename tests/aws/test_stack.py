"""The whole stack at once: a call is answered, queued, remembered, greeted and found; and what goes wrong."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from agentic_memory.bootstrap import SystemClock
from agentic_memory.platforms.elevenlabs.signature import sign
from tests.aws.ministack import Cloud, cloud, deploy, until
from tests.aws.tools import Template
from tests.mem0_emulator.process import EmulatorProcess
from tests.wire import START, STEFAN, post_call

KEYS = {"ElevenLabsWorkspaceKey": "wk_first", "ElevenLabsHmacKey": "wsec_first"}
TABLE = {**KEYS, "MemoryBackend": "dynamodb"}
WORDS = {**TABLE, "Embedder": "lexical"}
SECRET = "elevenlabs-agentic-memory-stack-keys"
BUCKET = "elevenlabs-agentic-memory-000000000000-eu-central-1"
QUEUE, DEAD = "elevenlabs-agentic-memory-stack-post-call", "elevenlabs-agentic-memory-stack-dead-letters"
FUNCTION = "elevenlabs-agentic-memory-lambda-function-"


class Deployed:
    """The three URLs and what stands behind them."""

    def __init__(self, made: Cloud) -> None:
        self.cloud = made
        apis = made.client("apigatewayv2").get_apis()["Items"]
        self.apis = {api["Name"].removeprefix("elevenlabs-agentic-memory-").removesuffix("-api"): api["ApiId"] for api in apis}

    def post(self, path: str, body: bytes, **headers: str) -> tuple[int, Any]:
        url = f"{self.cloud.url}/_aws/execute-api/{self.apis[path]}/Prod/{path}"
        return self.cloud.post(url, body, {name.replace("_", "-"): value for name, value in headers.items()})

    def ring(self, caller: str = STEFAN, key: str = "wk_first", **more: str) -> tuple[int, Any]:
        body = {"caller_id": caller, "agent_id": "agent_x", "called_number": "+15550199000", "call_sid": "CA1", **more}
        return self.post("client-data", json.dumps(body).encode(), X_Workspace_Key=key)

    def greeting(self, caller: str = STEFAN) -> str:
        status, value = self.ring(caller)
        assert status == 200, value
        return str(value["conversation_config_override"]["agent"]["first_message"])

    def search(self, query: str, caller: str = STEFAN) -> tuple[int, Any]:
        return self.post("retrieve", json.dumps({"query": query, "user_id": caller}).encode())

    def hang_up(self, body: bytes, key: str = "wsec_first") -> tuple[int, Any]:
        return self.post("post-call", body, ElevenLabs_Signature=sign(body, key, int(SystemClock().now())))

    def waiting(self, queue: str) -> int:
        sqs = self.cloud.client("sqs")
        url = sqs.get_queue_url(QueueName=queue)["QueueUrl"]
        names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        given = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=names)["Attributes"]
        return sum(int(given[name]) for name in names)

    def keys(self, prefix: str) -> list[str]:
        listed = self.cloud.client("s3").list_objects_v2(Bucket=BUCKET, Prefix=prefix)
        return [found["Key"] for found in listed.get("Contents", ())]

    def bodies(self) -> dict[str, bytes]:
        """Every version of every object that the bucket holds."""
        s3 = self.cloud.client("s3")
        listed = s3.list_object_versions(Bucket=BUCKET).get("Versions", ())
        return {
            f"{v['Key']} {v['VersionId']}": s3.get_object(Bucket=BUCKET, Key=v["Key"], VersionId=v["VersionId"])["Body"].read()
            for v in listed
        }

    def about(self, caller: str) -> list[str]:
        """Where anything of a caller lies, by name or by content."""
        number = caller.removeprefix("+")
        found = [key for key, body in self.bodies().items() if number in key or number.encode() in body]
        dynamodb = self.cloud.client("dynamodb")
        for table in dynamodb.list_tables()["TableNames"]:
            found += [str(row) for row in dynamodb.scan(TableName=table)["Items"] if number in str(row)]
        return found

    def invoke(self, function: str, **order: object) -> Any:
        answer = self.cloud.client("lambda").invoke(FunctionName=f"{FUNCTION}{function}", Payload=json.dumps(order).encode())
        return json.loads(answer["Payload"].read())

    def replay(self, **order: object) -> Any:
        return self.invoke("replay", **order)

    def forget(self, caller: str, **order: object) -> Any:
        return self.invoke("forget", caller_id=caller, **order)


def call(conversation: str, caller: str, name: str, said: str, at: int = START) -> bytes:
    turns = [("agent", "How can I help?"), ("user", f"My name is {name}. {said}")]
    return post_call(conversation, caller, turns, at=at, collected={"user_name": name})


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployed]:
    with cloud(tmp_path_factory.mktemp("stack")) as made:
        deploy(made, {**TABLE, "ArchiveClientData": "on"})
        yield Deployed(made)


def test_a_call_is_answered_queued_remembered_greeted_and_found(stack: Deployed) -> None:
    assert "name" in stack.greeting()
    body = call("conv_1", STEFAN, "Stefan", "I keep bees behind the old mill.")
    assert stack.hang_up(body) == (200, {"status": "ok"})
    until(lambda: "Stefan" in stack.greeting(), 60)
    status, found = stack.search("bees")
    assert status == 200
    assert "bees" in found["memories"][0]
    _, found = stack.search("¿Cría insectos que dan miel?")
    assert "bees" in found["memories"][0], "by words alone, another memory comes first"
    assert stack.search("bees", "+15550100077") == (200, {"memories": []})
    assert f"post-call/{STEFAN}/conv_1.json" in stack.keys("post-call/")
    until(lambda: not stack.keys("inbox/") and not stack.waiting(QUEUE), 30)


def test_a_duplicate_adds_nothing(stack: Deployed) -> None:
    caller = "+15550100043"
    body = call("conv_2", caller, "Ana", "I like tea.")
    assert [stack.hang_up(body)[0] for _ in range(3)] == [200, 200, 200]
    until(lambda: "Ana" in stack.greeting(caller), 60)
    until(lambda: not stack.waiting(QUEUE), 30)
    assert stack.ring(caller)[1]["dynamic_variables"]["memory_count"] == "1"


def test_keys_and_signatures_are_checked(stack: Deployed) -> None:
    assert stack.ring(key="wk_wrong") == (401, {"error": "Invalid workspace key"})
    assert stack.post("client-data", b"{}", X_Workspace_Key="wk_first") == (400, {"error": "Missing caller_id"})
    assert stack.hang_up(call("conv_9", STEFAN, "Eve", "I like nothing."), "wsec_wrong")[0] == 200
    assert len(stack.keys("quarantine/")) == 1
    assert stack.replay(source="quarantine")["deliveries"] == 1


def test_a_poison_message_is_buried_and_comes_back_by_replay(stack: Deployed) -> None:
    assert stack.hang_up(b'{"type": "post_call_transcription", "data": {"conversation_id": "conv_bad"')[0] == 200
    until(lambda: stack.waiting(DEAD) == 1, 60)
    assert stack.replay(source="dead_letters") == {"source": "dead_letters", "dry_run": True, "deliveries": 1}
    assert stack.replay(source="dead_letters", dry_run=False)["deliveries"] == 1
    until(lambda: stack.waiting(DEAD) == 1 and not stack.waiting(QUEUE), 60)


def test_a_call_is_taken_from_the_archive_once_more_and_adds_nothing(stack: Deployed) -> None:
    caller = "+15550100046"
    assert stack.hang_up(call("conv_Uma", caller, "Uma", "I keep ducks."))[0] == 200
    until(lambda: "Uma" in stack.greeting(caller), 60)
    until(lambda: not stack.waiting(QUEUE), 30)
    order = {"source": "archive", "conversation_id": "conv_Uma"}
    assert stack.replay(**order)["deliveries"] == 1
    assert stack.replay(**order, dry_run=False)["deliveries"] == 1
    until(lambda: not stack.waiting(QUEUE), 30)
    assert stack.ring(caller)[1]["dynamic_variables"]["memory_count"] == "1"
    assert set(stack.replay(source="archive", prefix="client-data/")) == {"error"}


def test_a_caller_is_erased_and_nobody_else(stack: Deployed) -> None:
    """After a call remembered, one in quarantine and one that could not be read."""
    caller, other = "+15550100044", "+15550100045"
    for number, name in ((caller, "Ines"), (other, "Olga")):
        assert stack.hang_up(call(f"conv_{name}", number, name, "I keep goats."))[0] == 200
        until(lambda number=number, name=name: name in stack.greeting(number), 60)
        assert stack.hang_up(call(f"conv_{name}_2", number, name, "I keep geese."), "wsec_wrong")[0] == 200
        assert stack.hang_up(f'{{"type": "post_call_transcription", "data": {{"user_id": "{number}"'.encode())[0] == 200
    until(lambda: not stack.waiting(QUEUE) and len(stack.keys("unreadable/")) >= 2, 60)
    before = len(stack.about(other))
    counted = stack.forget(caller)
    assert counted["dry_run"] is True
    assert counted["conversations"] == 1
    assert min(counted[what] for what in ("memories", "archived", "deliveries")) > 0
    assert stack.about(caller)
    assert stack.forget(caller, dry_run=False) == {**counted, "dry_run": False, "waiting": 0}
    assert stack.about(caller) == []
    assert len(stack.about(other)) == before
    assert "Ines" not in stack.greeting(caller)
    assert "Olga" in stack.greeting(other)


def test_rings_are_kept_by_number(stack: Deployed) -> None:
    caller = "+15550100047"
    status, told = stack.ring(caller, conversation_id="conv_ring")
    assert status == 200
    keys = until(lambda: len(found := stack.keys(f"client-data/{caller}/")) == 2 and found, 30)
    assert [key.rpartition("/")[2] for key in keys] == ["received.json", "response.json"]
    assert all("_CA1/" in key for key in keys)
    bodies = {key.rpartition(" ")[0]: body for key, body in stack.bodies().items()}
    assert json.loads(bodies[keys[0]])["conversation_id"] == "conv_ring"
    assert json.loads(bodies[keys[1]]) == told
    assert stack.forget(caller, dry_run=False)["archived"] == 2
    assert stack.about(caller) == []


def test_an_open_call_opens_the_search_and_keys_rotate(tmp_path: Path) -> None:
    """The key before the current one is accepted too."""
    with cloud(tmp_path) as made:
        deploy(made, {**WORDS, "RetrieveAuth": "active_call"})
        stack, secrets = Deployed(made), made.client("secretsmanager")
        held = json.loads(secrets.get_secret_value(SecretId=SECRET)["SecretString"])
        held |= {"ELEVENLABS_WORKSPACE_KEY": "wk_second"}
        secrets.put_secret_value(SecretId=SECRET, SecretString=json.dumps(held))
        assert stack.search("bees")[0] == 401
        assert [stack.ring(key=key, conversation_id="conv_1")[0] for key in ("wk_second", "wk_first", "wk_third")] == [200, 200, 401]
        assert stack.search("bees") == (200, {"memories": []})
        assert stack.hang_up(call("conv_1", STEFAN, "Stefan", "I keep bees."))[0] == 200
        until(lambda: stack.search("bees")[0] == 401, 60)
        assert not stack.keys("client-data/")


def test_a_permission_that_is_missing_is_felt(tmp_path: Path) -> None:
    def forbid(template: Template) -> None:
        statements = template["Resources"]["PostCallRole"]["Properties"]["Policies"][0]["PolicyDocument"]["Statement"]
        statements[:] = [s for s in statements if s["Sid"] != "HandOver"]

    with cloud(tmp_path) as made:
        deploy(made, WORDS, forbid)
        stack = Deployed(made)
        assert stack.hang_up(call("conv_1", STEFAN, "Stefan", "I keep bees."))[0] == 503
        assert stack.ring()[0] == 200


def test_the_same_with_mem0_and_without_it(tmp_path: Path) -> None:
    """Its outage costs a ring at most the last good brief, and a search an honest refusal."""
    with EmulatorProcess() as emulator, cloud(tmp_path) as made:
        account = emulator.account()
        account.delays(extraction=0.05, categories=0.1, deletion=0.05)
        mem0 = {"MemoryBackend": "mem0", "Mem0ApiKey": account.key, "Mem0BaseUrl": account.url}
        deploy(made, {**KEYS, **mem0})
        stack = Deployed(made)
        assert not made.client("dynamodb").list_tables()["TableNames"]
        body = call("conv_1", STEFAN, "Stefan", "I keep bees behind the old mill.")
        assert [stack.hang_up(body)[0] for _ in range(2)] == [200, 200]
        until(lambda: "Stefan" in stack.greeting(), 60)
        until(lambda: "bees" in str(stack.search("bees")[1]["memories"]), 30)
        until(lambda: not stack.waiting(QUEUE), 30)
        assert stack.ring()[1]["dynamic_variables"]["memory_count"] == "1"
        assert {memory["metadata"]["type"] for memory in account.memories} == {"factual", "semantic"}
        assert stack.hang_up(call("conv_2", "+15550100044", "Ines", "I keep goats."))[0] == 200
        until(lambda: "Ines" in stack.greeting("+15550100044"), 60)
        until(lambda: not stack.waiting(QUEUE), 30)
        erased = stack.forget("+15550100044", dry_run=False)
        assert (erased["conversations"], erased["waiting"]) == (1, 0)
        assert erased["memories"] >= 1
        assert stack.about("+15550100044") == []
        assert {memory["user_id"] for memory in account.memories} == {STEFAN}
        account.fault("status", status=503, times=1000)
        assert "Stefan" in stack.greeting()
        assert stack.search("bees") == (503, {"error": "Memory is temporarily unavailable"})
