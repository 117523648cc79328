"""The queue and its dead-letter queue: sending, receiving, counting."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from agentic_memory.backends.sqs.failures import reported

_BATCH = 10  # what SQS gives at once
_WAITING = (
    "ApproximateNumberOfMessages",
    "ApproximateNumberOfMessagesNotVisible",
    "ApproximateNumberOfMessagesDelayed",
)
_LONGEST_GROUP = 128


@dataclass(frozen=True, slots=True)
class Message:
    """One message that was received by hand."""

    id: str
    receipt: str
    body: str
    sent_at: float
    receives: int


class Queue:
    """One queue by its URL. Everything raises StorageUnavailable."""

    def __init__(self, url: str, client: Any) -> None:
        """`client`: botocore's for SQS."""
        self.url = url
        self._client = client

    def send(self, body: str, group: str) -> None:
        """Send. A standard queue is fair between groups: one tenant's flood does not delay another's."""
        with reported("SQS"):
            self._client.send_message(
                QueueUrl=self.url, MessageBody=body, MessageGroupId=_group(group)
            )

    def show_in(self, receipt: str, seconds: int) -> None:
        """Let a message that is held be received again after so many seconds."""
        with reported("SQS"):
            self._client.change_message_visibility(
                QueueUrl=self.url, ReceiptHandle=receipt, VisibilityTimeout=seconds
            )

    def delete(self, receipt: str) -> None:
        """Delete a message that is held."""
        with reported("SQS"):
            self._client.delete_message(QueueUrl=self.url, ReceiptHandle=receipt)

    def received(self, hold: int, wait: int) -> Iterator[Message]:
        """Messages until no new one comes within `wait` seconds; each is held for `hold` seconds."""
        seen: set[str] = set()
        while True:
            with reported("SQS"):
                answer = self._client.receive_message(
                    QueueUrl=self.url,
                    MaxNumberOfMessages=_BATCH,
                    VisibilityTimeout=hold,
                    WaitTimeSeconds=wait,
                    MessageSystemAttributeNames=["SentTimestamp", "ApproximateReceiveCount"],
                )
            messages = map(_message, answer.get("Messages", ()))
            found = [message for message in messages if message.id not in seen]
            if not found:
                return
            seen |= {message.id for message in found}
            yield from found

    def size(self) -> int:
        """How many messages there are about, held ones included."""
        attributes = self._attributes(*_WAITING)
        return sum(int(attributes.get(name, 0)) for name in _WAITING)

    def dead_letters(self) -> "Queue | None":
        """The queue to which this one's redrive policy moves what came too often."""
        policy = self._attributes("RedrivePolicy").get("RedrivePolicy")
        if not policy:
            return None
        *_, account, name = json.loads(policy)["deadLetterTargetArn"].split(":")
        with reported("SQS"):
            answer = self._client.get_queue_url(QueueName=name, QueueOwnerAWSAccountId=account)
        return Queue(answer["QueueUrl"], self._client)

    def check(self) -> None:
        """Raises StorageUnavailable when the queue cannot be reached."""
        self._attributes("QueueArn")

    def _attributes(self, *names: str) -> Mapping[str, str]:
        with reported("SQS"):
            answer = self._client.get_queue_attributes(QueueUrl=self.url, AttributeNames=[*names])
        attributes: Mapping[str, str] = answer.get("Attributes", {})
        return attributes


def _message(given: Mapping[str, Any]) -> Message:
    attributes = given.get("Attributes", {})
    return Message(
        id=given["MessageId"],
        receipt=given["ReceiptHandle"],
        body=given["Body"],
        sent_at=int(attributes.get("SentTimestamp", 0)) / 1000,
        receives=int(attributes.get("ApproximateReceiveCount", 0)),
    )


def _group(tenant: str) -> str:
    """A group's name as SQS takes it: letters, digits and punctuation, at most 128."""
    kept = "".join(c if c.isascii() and c.isprintable() and c != " " else "_" for c in tenant)
    return kept[:_LONGEST_GROUP] or "_"
