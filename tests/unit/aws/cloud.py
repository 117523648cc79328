"""An AWS of this process: moto's, emptied for each test, and one request at a time."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

from agentic_memory.backends.dynamodb.schema import definition

REGION = "eu-central-1"
TABLE, BUCKET, QUEUE = "memory", "memory-bucket", "memory-queue"

_turn = threading.RLock()


class OneAtATime:
    """A client whose requests take turns: what AWS does at once, moto does in steps that threads would see."""

    def __init__(self, client: Any) -> None:
        self._client = client
        self.exceptions = client.exceptions

    def __getattr__(self, name: str) -> Any:
        operation = getattr(self._client, name)

        def in_turn(**request: object) -> Any:
            with _turn:
                return operation(**request)

        return in_turn


@cache
def client(service: str) -> OneAtATime:
    """The service's client: reaches moto within `cloud()`, and nothing outside of it."""
    import moto  # noqa: F401  it must be there before the client, to hear of its requests
    from botocore.config import Config
    from botocore.session import get_session

    made = get_session().create_client(
        service,
        region_name=REGION,
        aws_access_key_id="testing",
        aws_secret_access_key="testing",
        config=Config(retries={"total_max_attempts": 1}),
    )
    return OneAtATime(made)


@contextmanager
def cloud() -> Iterator[None]:
    """Within it there is an AWS, empty at first."""
    from moto import mock_aws

    with mock_aws():
        yield


def make_table() -> OneAtATime:
    """The table of the records."""
    dynamodb = client("dynamodb")
    dynamodb.create_table(**definition(TABLE))
    return dynamodb


def make_bucket() -> OneAtATime:
    """The bucket, versioned as the stack's is."""
    s3 = client("s3")
    s3.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": REGION})
    s3.put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration={"Status": "Enabled"})
    return s3


def make_queues(receives: int = 3) -> tuple[OneAtATime, str, str]:
    """The queue with its dead-letter queue: client and both URLs."""
    sqs = client("sqs")
    dead = sqs.create_queue(QueueName=f"{QUEUE}-dead")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=dead, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    policy = json.dumps({"deadLetterTargetArn": arn, "maxReceiveCount": str(receives)})
    attributes = {"RedrivePolicy": policy, "VisibilityTimeout": "360"}
    url = sqs.create_queue(QueueName=QUEUE, Attributes=attributes)["QueueUrl"]
    return sqs, url, dead


class Failing:
    """A client that answers one operation with an error, the first `times` it is asked."""

    def __init__(self, client: OneAtATime, operation: str, error: Exception, times: int = 1) -> None:
        self._client = client
        self._operation = operation
        self._error = error
        self.times = times
        self.exceptions = client.exceptions

    def __getattr__(self, name: str) -> Any:
        def fail(**_: object) -> Any:
            self.times -= 1
            raise self._error

        return fail if name == self._operation and self.times > 0 else getattr(self._client, name)


def refused(code: str, operation: str = "Operation", **more: object) -> Exception:
    """The error in which AWS answers with this code."""
    from botocore.exceptions import ClientError

    return ClientError({"Error": {"Code": code, "Message": ""}, **more}, operation)
