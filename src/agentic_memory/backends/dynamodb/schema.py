"""The table: its keys, its index, and the names of what lies in it.

One partition a caller (`caller/<tenant>/<caller id>`), in the order of the sort keys:

    about/<conversation>              a call of theirs may be remembered: where else to look for traces
    archived/<sha256>                 an archived body that is about them
    audio/<conversation>/<sha256>     a recording of a call of theirs
    caller                            the heading: revision, name, brief
    commit/<life>/<revision>          what one commit taught: call heading, memories, which vectors
    data/<life>/<revision>/turns      the turns of its call
    data/<life>/<revision>/vectors    its vectors
    history/<life>/<revision>         its lines of history
    ring/<conversation>               who rang in it, and when

and one partition a conversation (`conversation/<tenant>/<conversation>`): `note`, `audio/<sha256>`,
`archived/<sha256>`, `caller/<caller id>`. A value too large for one item lies in parts below its own key:
`<sort key>/<nonce>/<number>`. What a read needs stands side by side: `audio/` to `commit/` is a caller
without words and vectors, `audio/` to `data/` the whole of one.

A `life` is a caller's time between being made and being erased: nothing of a former one is ever read.
"""

import hashlib
import struct
from urllib.parse import quote

from agentic_memory.errors import InvalidField

INDEX = "callers"
"""The global index of headings: `tenant`, then `last_call`; the newest call has the greatest."""
EXPIRES = "expires_at"
"""The attribute that time-to-live goes by: Unix seconds."""
HEADING, NOTE = "caller", "note"

_LONGEST = 400
_TOP_BIT = 1 << 63


def definition(table_name: str) -> dict[str, object]:
    """What `CreateTable` takes. Time to live (on EXPIRES) and point-in-time recovery are set apart."""
    return {
        "TableName": table_name,
        "BillingMode": "PAY_PER_REQUEST",
        "AttributeDefinitions": [
            {"AttributeName": name, "AttributeType": "S"}
            for name in ("pk", "sk", "tenant", "last_call")
        ],
        "KeySchema": _key("pk", "sk"),
        "GlobalSecondaryIndexes": [
            {
                "IndexName": INDEX,
                "KeySchema": _key("tenant", "last_call"),
                "Projection": {
                    "ProjectionType": "INCLUDE",
                    "NonKeyAttributes": ["caller_id", "searchable", "calls", "memories", "models"],
                },
            }
        ],
    }


def _key(partition: str, sort: str) -> list[dict[str, str]]:
    return [
        {"AttributeName": partition, "KeyType": "HASH"},
        {"AttributeName": sort, "KeyType": "RANGE"},
    ]


def caller_key(tenant: str, caller_id: str) -> str:
    """The partition of one caller."""
    return f"caller/{part(tenant)}/{part(caller_id)}"


def conversation_key(tenant: str, conversation_id: str) -> str:
    """The partition of one conversation."""
    return f"conversation/{part(tenant)}/{part(conversation_id)}"


def commit_key(life: str, revision: int) -> str:
    """Where what a commit taught lies."""
    return f"commit/{life}/{revision:010}"


def data_key(life: str, revision: int, what: str) -> str:
    """Where a commit's `turns` or `vectors` lie."""
    return f"data/{life}/{revision:010}/{what}"


def history_key(life: str, revision: int) -> str:
    """Where a commit's lines of history lie."""
    return f"history/{life}/{revision:010}"


def digest(text: str) -> str:
    """A short name of any text."""
    return hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()


def part(text: str) -> str:
    """A text as one part of a key: no slash, bounded, no two alike. Raises InvalidField."""
    try:
        quoted = quote(text, safe="+")
    except UnicodeEncodeError:
        raise InvalidField(field="text", expected="Unicode without lone surrogates") from None
    # What is quoted has capitals behind a percent sign, a digest has none: they cannot be the same.
    return quoted if len(quoted) <= _LONGEST else f"%{digest(text)}"


def position(last_call_at: float, caller_id: str) -> str:
    """A caller's place in the index: texts that sort as (time, id) do."""
    (bits,) = struct.unpack(">Q", struct.pack(">d", last_call_at))
    # Floats sort as their bits do, once negative ones are turned round and put before the others.
    ordered = bits ^ (2**64 - 1) if bits & _TOP_BIT else bits | _TOP_BIT
    return f"{ordered:016x}/{caller_id if len(caller_id) <= _LONGEST else part(caller_id)}"
