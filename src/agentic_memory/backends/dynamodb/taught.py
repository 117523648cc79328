"""What is written of one commit, as bytes that are certain to be read back."""

from dataclasses import dataclass, replace

from agentic_memory.backends.dynamodb import codec, schema
from agentic_memory.backends.dynamodb.codec import Lesson, PackedVectors
from agentic_memory.backends.dynamodb.folding import Folded
from agentic_memory.backends.dynamodb.table import Row
from agentic_memory.domain.caller import Caller
from agentic_memory.domain.records import CallerCommit


@dataclass(frozen=True, slots=True)
class Taught:
    """One commit, encoded before anything is written: what cannot be stored is refused whole."""

    record: bytes
    """The caller."""
    lesson: Lesson
    content: bytes
    """The lesson as bytes."""
    turns: bytes | None = None
    vectors: bytes | None = None
    changes: bytes | None = None

    @classmethod
    def by(cls, commit: CallerCommit) -> "Taught":
        """What this commit teaches. Raises MalformedPayload."""
        put = commit.put_call
        about = put.call.conversation_id if put else ""
        calls = {about: put.vectors} if put and put.vectors else {}
        vectors = PackedVectors(calls, dict(commit.put_vectors))
        lesson = Lesson(
            call=replace(put.call, turns=()) if put else None,
            is_spoken=bool(put and put.call.spoken_turns),
            memories=commit.put_memories,
            dropped=commit.drop_memories,
            call_models={c: v.model_id for c, v in vectors.calls.items()},
            memory_models={m: v.model_id for m, v in vectors.memories.items()},
        )
        return cls(
            record=codec.caller_bytes(commit.caller),
            lesson=lesson,
            content=codec.lesson_bytes(lesson),
            turns=codec.turns_bytes(put.call.turns) if put else None,
            vectors=_bytes(vectors),
            changes=codec.changes_bytes(commit.changes) if commit.changes else None,
        )

    @classmethod
    def renewed(cls, caller: Caller, vectors: PackedVectors) -> "Taught":
        """Nothing but all of a caller's vectors."""
        lesson = Lesson(
            call_models={c: v.model_id for c, v in vectors.calls.items()},
            memory_models={m: v.model_id for m, v in vectors.memories.items()},
            renews=True,
        )
        return cls(
            codec.caller_bytes(caller), lesson, codec.lesson_bytes(lesson), vectors=_bytes(vectors)
        )

    def rows(self, pk: str, life: str, revision: int) -> list[list[Row]]:
        """The items of each value, the one that stands for it last."""
        values = {
            schema.commit_key(life, revision): self.content,
            schema.data_key(life, revision, "turns"): self.turns,
            schema.data_key(life, revision, "vectors"): self.vectors,
            schema.history_key(life, revision): self.changes,
        }
        return [codec.rows_of(pk, sk, value) for sk, value in values.items() if value is not None]

    def heading(self, pk: str, caller: Caller, folded: Folded, revision: int) -> Row:
        """The caller's heading once this has been applied to `folded`."""
        name = caller.name.text if caller.name else ""
        return {
            "pk": pk,
            "sk": schema.HEADING,
            "tenant": caller.tenant,
            "last_call": schema.position(caller.last_call_at, caller.caller_id),
            "caller_id": caller.caller_id,
            "searchable": f"{caller.caller_id}\n{name}".casefold(),
            "revision": revision,
            "life": folded.life,
            "record": self.record,
            "calls": len(folded.calls),
            "memories": len(folded.memories),
            "models": folded.all_models(),
        }


def _bytes(vectors: PackedVectors) -> bytes | None:
    return codec.vectors_bytes(vectors) if vectors.calls or vectors.memories else None
