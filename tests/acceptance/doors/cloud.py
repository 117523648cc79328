"""What the template makes beside the functions: a table, a bucket, a queue with its dead letters, a secret."""

import json
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Self

from agentic_memory.backends.dynamodb.schema import definition

ROOT = Path(__file__).parents[3]
REGION = "eu-central-1"
ACCESS = {"AWS_ACCESS_KEY_ID": "testing", "AWS_SECRET_ACCESS_KEY": "testing"}
RECEIVES, VISIBILITY, BATCH = 5, 360, 5
"""As the template has them."""


class CloudProcess:
    """An AWS on this machine: started on entry, ended on exit. All its clients' requests are real ones."""

    def __enter__(self) -> Self:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.acceptance.doors.cloud_process"],
            cwd=ROOT, env={"PYTHONUTF8": "1"}, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL, text=True,
        )  # fmt: skip
        assert self._process.stdout is not None
        self.url = self._process.stdout.readline().strip()
        assert self.url, "there is no AWS"
        self._clients: dict[str, Any] = {}
        return self

    def __exit__(self, *_: object) -> None:
        for client in self._clients.values():
            client.close()
        self._process.communicate()

    def client(self, service: str) -> Any:
        """The one client of a service: making one costs more than all its requests."""
        from botocore.session import get_session

        if service not in self._clients:
            access = {name.lower(): value for name, value in ACCESS.items()}
            self._clients[service] = get_session().create_client(
                service, region_name=REGION, endpoint_url=self.url, **access
            )
        return self._clients[service]


class Stack:
    """The stack's resources under one name."""

    def __init__(self, cloud: CloudProcess, name: str) -> None:
        self.name = name
        self._url = cloud.url
        self._sqs, self._secrets = cloud.client("sqs"), cloud.client("secretsmanager")
        self._s3 = cloud.client("s3")
        cloud.client("dynamodb").create_table(**definition(name))
        self._s3.create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": REGION})
        self._s3.put_bucket_versioning(Bucket=name, VersioningConfiguration={"Status": "Enabled"})
        self._dead = self._sqs.create_queue(QueueName=f"{name}-dead")["QueueUrl"]
        policy = json.dumps({"deadLetterTargetArn": self._arn(self._dead), "maxReceiveCount": RECEIVES})
        attributes = {"RedrivePolicy": policy, "VisibilityTimeout": str(VISIBILITY)}
        self._queue = self._sqs.create_queue(QueueName=name, Attributes=attributes)["QueueUrl"]
        self._queue_arn = self._arn(self._queue)
        self._secrets.create_secret(Name=name, SecretString="{}")

    @property
    def environment(self) -> Mapping[str, str]:
        """What the template sets for a function, and Lambda."""
        return {
            **ACCESS,
            "AWS_REGION": REGION,
            "AWS_DEFAULT_REGION": REGION,
            "AWS_ENDPOINT_URL": self._url,
            "MEMORY_SECRET_ID": self.name,
            "MEMORY_QUEUE_URL": self._queue,
            "MEMORY_TABLE_NAME": self.name,
            "S3_BUCKET_NAME": self.name,
            "WORKER_ATTEMPTS": str(RECEIVES),
            "WORKER_LEASE": str(VISIBILITY),
        }

    def set_keys(self, keys: Mapping[str, str]) -> None:
        """Rotate: the keys before are still known as the previous version."""
        self._secrets.put_secret_value(SecretId=self.name, SecretString=json.dumps(keys))

    def batch(self) -> list[dict[str, Any]]:
        """Messages as Lambda's event source hands them to the worker."""
        received = self._sqs.receive_message(
            QueueUrl=self._queue, MaxNumberOfMessages=BATCH, MessageSystemAttributeNames=["All"]
        )
        return [
            {
                "messageId": message["MessageId"],
                "receiptHandle": message["ReceiptHandle"],
                "body": message["Body"],
                "attributes": message["Attributes"],
                "messageAttributes": {},
                "md5OfBody": message["MD5OfBody"],
                "eventSource": "aws:sqs",
                "eventSourceARN": self._queue_arn,
                "awsRegion": REGION,
            }
            for message in received.get("Messages", ())
        ]

    def delete(self, records: list[dict[str, Any]]) -> None:
        """What Lambda does with the messages of a batch that did not fail."""
        for record in records:
            self._sqs.delete_message(QueueUrl=self._queue, ReceiptHandle=record["receiptHandle"])

    def pending(self) -> int:
        """Messages that wait, and those that are held."""
        return self._size(self._queue)

    def dead(self) -> int:
        """Messages in the dead-letter queue."""
        return self._size(self._dead)

    def keys(self, prefix: str) -> list[str]:
        """What the bucket holds."""
        listed = self._s3.list_objects_v2(Bucket=self.name, Prefix=prefix)
        return [found["Key"] for found in listed.get("Contents", ())]

    def content(self, key: str) -> bytes:
        """One of its objects."""
        body: bytes = self._s3.get_object(Bucket=self.name, Key=key)["Body"].read()
        return body

    def _size(self, queue: str) -> int:
        names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        given = self._sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=names)["Attributes"]
        return sum(int(given[name]) for name in names)

    def _arn(self, queue: str) -> str:
        given = self._sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])
        return str(given["Attributes"]["QueueArn"])
