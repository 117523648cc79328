"""One table, in rows of plain values: paging, batches and transactions are its business."""

import secrets
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any

from agentic_memory.backends.dynamodb.failures import is_refusal, reported
from agentic_memory.errors import StorageUnavailable

Value = str | int | bytes | bool
Row = Mapping[str, Value]
"""An item: its keys `pk` and `sk`, and whatever else it holds."""

PART = 350_000
"""Bytes of one value in one item: DynamoDB allows 400 KB for an item, names included."""

_BATCH, _READ_BATCH = 25, 100  # what DynamoDB takes at once
_TRIES = 8


def connect() -> Any:
    """A client for DynamoDB as this process's environment names it."""
    from botocore.config import Config
    from botocore.session import get_session

    retries = {"mode": "standard", "total_max_attempts": 3}
    config = Config(connect_timeout=1, read_timeout=3, retries=retries, tcp_keepalive=True)
    return get_session().create_client("dynamodb", config=config)


class Table:
    """Reads are consistent, but for those of the index. Everything raises StorageError."""

    def __init__(self, name: str, client: Any) -> None:
        """`client`: botocore's for DynamoDB."""
        self.name = name
        self._client = client

    def get(self, pk: str, sk: str) -> Row | None:
        """One item."""
        with reported():
            answer = self._client.get_item(
                TableName=self.name, Key=key(pk, sk), ConsistentRead=True
            )
        return plain(answer["Item"]) if "Item" in answer else None

    def get_all(self, keys: Sequence[tuple[str, str]]) -> list[Row]:
        """Those of the items that exist, in no order."""
        found: list[Row] = []
        wanted = [key(*pair) for pair in keys]
        while wanted:
            request = {self.name: {"Keys": wanted[:_READ_BATCH], "ConsistentRead": True}}
            with reported():
                answer = self._client.batch_get_item(RequestItems=request)
            found += map(plain, answer["Responses"].get(self.name, ()))
            unread = answer.get("UnprocessedKeys", {}).get(self.name, {}).get("Keys", [])
            wanted = [*unread, *wanted[_READ_BATCH:]]
        return found

    def between(self, pk: str, first: str, last: str, only: str = "") -> Iterator[Row]:
        """One partition's items from sort key to sort key, in their order; `only` these attributes."""
        yield from self._pages(
            "query",
            ConsistentRead=True,
            KeyConditionExpression="pk = :pk AND sk BETWEEN :first AND :last",
            ExpressionAttributeValues=typed({":pk": pk, ":first": first, ":last": last}),
            **({"ProjectionExpression": only} if only else {}),
        )

    def below(self, pk: str, prefix: str) -> Iterator[Row]:
        """One partition's items whose sort keys start with `prefix`, which ends with a slash."""
        yield from self.between(pk, prefix, end_of(prefix))

    def index(self, operation: str, **request: object) -> Iterator[Row]:
        """A `query` or `scan` of an index: what was written a moment ago may be missing."""
        yield from self._pages(operation, **request)

    def put(self, row: Row) -> None:
        """Store one item in place of any other."""
        with reported():
            self._client.put_item(TableName=self.name, Item=typed(row))

    def put_all(self, rows: Iterable[Row]) -> None:
        """Store items, in no order and not as one."""
        self._write([{"PutRequest": {"Item": typed(row)}} for row in rows])

    def delete_all(self, keys: Iterable[tuple[str, str]]) -> None:
        """Delete items, 25 at a time in the order given."""
        self._write([{"DeleteRequest": {"Key": key(*pair)}} for pair in keys])

    def update(self, pk: str, sk: str, expression: str, condition: str = "", **values: Value) -> Row | None:
        """Change one item and return it whole; None where the condition does not hold."""
        request = _update(self.name, pk, sk, expression, condition, values)
        with reported():
            try:
                answer = self._client.update_item(**request, ReturnValues="ALL_NEW")
            except self._client.exceptions.ConditionalCheckFailedException:
                return None
        return plain(answer["Attributes"])

    def transact(self, *actions: Mapping[str, object]) -> bool:
        """All or nothing of at most 100 `putting` and `updating`; False when somebody else was first."""
        with reported():
            try:
                self._client.transact_write_items(
                    TransactItems=list(actions), ClientRequestToken=secrets.token_hex(16)
                )
            except self._client.exceptions.TransactionCanceledException as error:
                if not is_refusal(error.response):
                    raise
                return False
        return True

    def putting(self, row: Row, condition: str = "", **values: Value) -> dict[str, object]:
        """A put within a transaction."""
        request: dict[str, object] = {"TableName": self.name, "Item": typed(row)}
        return {"Put": request | _conditions(condition, values)}

    def updating(
        self, pk: str, sk: str, expression: str, condition: str = "", **values: Value
    ) -> dict[str, object]:
        """An update within a transaction."""
        return {"Update": _update(self.name, pk, sk, expression, condition, values)}

    def _pages(self, operation: str, **request: object) -> Iterator[Row]:
        call = getattr(self._client, operation)
        start: dict[str, object] = {}
        while True:
            with reported():
                answer = call(TableName=self.name, **request, **start)
            yield from map(plain, answer["Items"])
            if not answer.get("LastEvaluatedKey"):
                return
            start = {"ExclusiveStartKey": answer["LastEvaluatedKey"]}

    def _write(self, requests: list[dict[str, object]]) -> None:
        waiting = iter(requests)
        while batch := list(islice(waiting, _BATCH)):
            for _ in range(_TRIES):
                with reported():
                    answer = self._client.batch_write_item(RequestItems={self.name: batch})
                batch = answer.get("UnprocessedItems", {}).get(self.name, [])
                if not batch:
                    break
            else:
                raise StorageUnavailable(reason="DynamoDB leaves writes undone")


def key(pk: str, sk: str) -> dict[str, dict[str, object]]:
    """An item's key as the wire has it."""
    return typed({"pk": pk, "sk": sk})


def end_of(prefix: str) -> str:
    """What sorts behind everything that starts with `prefix`, which ends with a slash."""
    return f"{prefix.removesuffix('/')}0"


def typed(row: Row) -> dict[str, dict[str, object]]:
    """Plain values as the wire has them."""
    return {name: _typed(value) for name, value in row.items()}


def _typed(value: Value) -> dict[str, object]:
    if isinstance(value, bool):
        return {"BOOL": value}
    if isinstance(value, int):
        return {"N": str(value)}
    return {"B" if isinstance(value, bytes) else "S": value}


def plain(item: Mapping[str, Mapping[str, Any]]) -> Row:
    """An item of the wire as plain values."""
    return {
        name: int(value["N"]) if "N" in value else next(iter(value.values()))
        for name, value in item.items()
    }


def _conditions(condition: str, values: Mapping[str, Value]) -> dict[str, object]:
    asked: dict[str, object] = {"ConditionExpression": condition} if condition else {}
    if values:
        asked["ExpressionAttributeValues"] = typed({f":{n}": v for n, v in values.items()})
    return asked


def _update(
    table: str, pk: str, sk: str, expression: str, condition: str, values: Mapping[str, Value]
) -> dict[str, object]:
    request: dict[str, object] = {
        "TableName": table,
        "Key": key(pk, sk),
        "UpdateExpression": expression,
    }
    return request | _conditions(condition, values)
