"""Request units of a table, counted from the items: by the rules that DynamoDB bills by."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from agentic_memory.backends.dynamodb.schema import definition
from tests.unit.aws.cloud import TABLE, OneAtATime

Item = Mapping[str, Mapping[str, Any]]
WRITE, READ = 1024, 4096
"""Bytes of an item that one write unit covers, and one read unit where the read is consistent."""


class Metered:
    """A client that counts what its requests cost; a request that it cannot count is an error.

    A write is billed by the larger of the item before and after, in a transaction twice; what the index
    shows of an item is billed on top, once, and twice where it moves within the index. A query is billed
    by all that it reads, together; every other read by item.
    """

    def __init__(self, client: OneAtATime) -> None:
        self._client = client
        self.exceptions = client.exceptions
        self.writes = 0
        self.reads = 0.0

    def get_item(self, **request: Any) -> Any:
        answer = self._client.get_item(**request)
        self._read(size(answer.get("Item", {})), request)
        return answer

    def batch_get_item(self, RequestItems: Any) -> Any:
        for key in RequestItems[TABLE]["Keys"]:
            self._read(size(self._stored(key)), RequestItems[TABLE])
        return self._client.batch_get_item(RequestItems=RequestItems)

    def query(self, **request: Any) -> Any:
        assert not {"IndexName", "ProjectionExpression", "FilterExpression"} & set(request), request
        answer = self._client.query(**request)
        self._read(sum(map(size, answer["Items"])), request)
        return answer

    def put_item(self, **request: Any) -> Any:
        with self._written(request["Item"]):
            return self._client.put_item(**request)

    def update_item(self, **request: Any) -> Any:
        with self._written(request["Key"]):
            return self._client.update_item(**request)

    def batch_write_item(self, RequestItems: Any) -> Any:
        given = [next(iter(asked.values())) for asked in RequestItems[TABLE]]
        with self._written(*(one.get("Item") or one["Key"] for one in given)):
            return self._client.batch_write_item(RequestItems=RequestItems)

    def transact_write_items(self, **request: Any) -> Any:
        given = [next(iter(action.values())) for action in request["TransactItems"]]
        with self._written(*(one.get("Item") or one["Key"] for one in given), times=2):
            return self._client.transact_write_items(**request)

    def _read(self, read: int, request: Mapping[str, Any]) -> None:
        self.reads += units(read, READ) * (1 if request.get("ConsistentRead") else 0.5)

    @contextmanager
    def _written(self, *given: Item, times: int = 1) -> Iterator[None]:
        """Count what becomes of the items with these keys, and of their entries in the index."""
        before = [self._stored(item) for item in given]
        yield
        after = [self._stored(item) for item in given]
        for old, new in zip(before, after, strict=True):
            self.writes += times * units(max(size(old), size(new)), WRITE)
            self.writes += in_index(old, new)

    def _stored(self, item: Item) -> Item:
        key = {name: item[name] for name in ("pk", "sk")}
        found: Item = self._client.get_item(TableName=TABLE, Key=key, ConsistentRead=True).get("Item", {})
        return found


def units(count: int, each: int) -> int:
    """However small, it is one."""
    return max(1, -(-count // each))


def in_index(old: Item, new: Item) -> int:
    """Write units of the index when an item changes: an entry that moves is deleted and put."""
    before, after = shown(old), shown(new)
    if before == after:
        return 0
    if before and after and position(before) == position(after):
        return units(max(size(before), size(after)), WRITE)
    return sum(units(size(entry), WRITE) for entry in (before, after) if entry)


def shown(item: Item) -> dict[str, Mapping[str, Any]]:
    """What the index holds of an item: nothing of one without both of its keys."""
    (index,) = _indexes()
    keys = [key["AttributeName"] for key in index["KeySchema"]]
    names = {"pk", "sk", *keys, *index["Projection"]["NonKeyAttributes"]}
    return {name: item[name] for name in names if name in item} if all(k in item for k in keys) else {}


def position(entry: Item) -> list[Any]:
    """Where in the index an entry is."""
    (index,) = _indexes()
    return [entry[key["AttributeName"]] for key in index["KeySchema"]]


def size(item: Item) -> int:
    """Bytes that an item is billed as: names and values."""
    return sum(len(name.encode()) + _bytes(value) for name, value in item.items())


def _bytes(value: Mapping[str, Any]) -> int:
    ((kind, held),) = value.items()
    if kind == "S":
        return len(held.encode())
    if kind == "N":  # two digits a byte, and one
        return 1 + -(-len(held.lstrip("-")) // 2)
    return {"B": len, "BOOL": lambda _: 1}[kind](held)  # type: ignore[operator, no-any-return]


def _indexes() -> list[dict[str, Any]]:
    return definition(TABLE)["GlobalSecondaryIndexes"]  # type: ignore[return-value]
