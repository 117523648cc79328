"""Messages to a queue of SQS: sending alone."""

from agentic_memory.backends.aws_plain.service import NoAnswer, Service
from agentic_memory.errors import StorageUnavailable
from agentic_memory.settings import AwsSettings

LARGEST = 256_000
"""Bytes of one message: what every region's SQS has always taken."""


class Messages:
    """Sends to the stack's queue; needs `sqs:SendMessage` and nothing else."""

    def __init__(self, settings: AwsSettings) -> None:
        """`settings` name the queue and say who asks."""
        self._url = settings.memory_queue_url
        self._service = Service(settings, "sqs", "1.0")

    def send(self, body: str, group: str, now: float) -> None:
        """Send; the queue is fair between groups. `body` is ASCII. Raises StorageUnavailable."""
        if len(body) > LARGEST:
            raise StorageUnavailable(reason="the message is larger than SQS takes")
        given = {"QueueUrl": self._url, "MessageBody": body, "MessageGroupId": group}
        try:
            answer = self._service.ask("AmazonSQS.SendMessage", given, now)
        except NoAnswer as error:
            raise StorageUnavailable(reason=f"SQS: {error}") from None
        if answer.status != 200:
            raise StorageUnavailable(reason=f"SQS answers {answer.status}")
