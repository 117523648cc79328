"""Mem0's own client against the emulator: run by the client's own Python, `judge.py URL KEY`; prints what it saw."""

import json
import sys

from mem0 import MemoryClient  # type: ignore[import-not-found,unused-ignore]
from mem0.exceptions import (  # type: ignore[import-not-found,unused-ignore]
    MemoryError as ServiceError,
)

USER = "+15550100001"
OF_USER = {"AND": [{"user_id": USER}]}


def refused(act: object) -> str:
    """The kind of error that the client makes of an answer."""
    try:
        act()  # type: ignore[operator]
    except (ServiceError, ValueError) as error:
        return type(error).__name__
    return "nothing"


def main(url: str, key: str) -> dict[str, object]:
    client = MemoryClient(api_key=key, host=url)
    verbatim = client.add([{"role": "user", "content": "I like tea."}], user_id=USER, infer=False, metadata={"type": "semantic"}, timestamp=1_790_000_000)
    again = client.add([{"role": "user", "content": "I like tea."}], user_id=USER, infer=False)
    inferred = client.add([{"role": "user", "content": "I live in Lisbon."}, {"role": "assistant", "content": "Noted."}], user_id=USER, metadata={"type": "factual"})
    client.client.post(f"{url}/__control__", json={"key": key, "settle": True})
    event = client.client.get(f"/v1/event/{inferred['event_id']}/").json()
    memory_id = verbatim["results"][0]["id"]
    return {
        "project": [client.org_id, client.project_id],
        "verbatim": [verbatim["status"], verbatim["results"][0]["event"], again["results"]],
        "inferred": [inferred["status"], event["status"], event["results"][0]["data"]["memory"]],
        "search": client.search("tea", filters=OF_USER, top_k=3)["results"],
        "of_type": client.get_all(filters={"AND": [{"user_id": USER}, {"metadata": {"type": "factual"}}]})["results"],
        "pages": [client.get_all(filters=OF_USER, page=n, page_size=1)["count"] for n in (1, 2)],
        "stranger": client.get_all(filters={"user_id": "nobody"})["results"],
        "one": client.get(memory_id)["memory"],
        "updated": client.update(memory_id, text="I like green tea.", metadata={"type": "semantic", "n": 1})["memory"],
        "history": [h["event"] for h in client.history(memory_id)],
        "users": [u["name"] for u in client.users()["results"]],
        "deleted": client.delete(memory_id)["message"],
        "gone": refused(lambda: client.get(memory_id)),
        "no_uuid": refused(lambda: client.get("m1")),
        "no_entity": refused(lambda: client.search("tea", filters={"categories": {"in": ["food"]}})),
        "unknown_key": refused(lambda: client.search("tea", filters={"user": USER})),
        "all_deleted": client.delete_all(user_id=USER)["message"],
        "bad_key": refused(lambda: MemoryClient(api_key="wrong", host=url)),
    }


if __name__ == "__main__":
    sys.stdout.write(json.dumps(main(sys.argv[1], sys.argv[2])))
