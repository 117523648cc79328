-- Statements of SqliteRecords. Each begins with its name; the comment below it says what it is for.

-- name: caller
-- The path of the ringing phone: one read by the unique index.
SELECT tenant, caller_id, name, language, first_call_at, last_call_at, call_count, revision, brief
FROM callers
WHERE tenant = ? AND caller_id = ?;

-- name: callers_page
-- Newest call first, continued after (last_call_at, caller_id); `searchable` comes from the index.
SELECT tenant, caller_id, name, language, first_call_at, last_call_at, call_count, revision, brief
FROM callers INDEXED BY callers_by_last_call
WHERE tenant = :tenant
  AND (last_call_at, caller_id) < (:last_call_at, :caller_id)
  AND (:query = '' OR instr(searchable, :query) > 0)
ORDER BY last_call_at DESC, caller_id DESC
LIMIT :limit;

-- name: put_caller
INSERT INTO callers (
    tenant, caller_id, searchable, name, language, first_call_at, last_call_at, call_count, revision, brief
) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (tenant, caller_id) DO UPDATE SET
    searchable = excluded.searchable,
    name = excluded.name,
    language = excluded.language,
    first_call_at = excluded.first_call_at,
    last_call_at = excluded.last_call_at,
    call_count = excluded.call_count,
    revision = excluded.revision,
    brief = excluded.brief;

-- name: revision
SELECT revision FROM callers WHERE tenant = ? AND caller_id = ?;

-- name: grow_revision
UPDATE callers SET revision = revision + 1 WHERE tenant = ? AND caller_id = ?;

-- name: calls
-- Oldest first, whole.
SELECT heading, audio_key, turns, vectors_model, dimension, vectors
FROM calls
WHERE tenant = ? AND caller_id = ?
ORDER BY started_at, conversation_id;

-- name: headings
-- Oldest first, without the pages of turns and vectors.
SELECT heading, audio_key
FROM calls
WHERE tenant = ? AND caller_id = ?
ORDER BY started_at, conversation_id;

-- name: call
SELECT heading, audio_key, turns
FROM calls
WHERE tenant = ? AND conversation_id = ? AND caller_id = ?;

-- name: put_call
-- A recording that came first gives the call its audio key.
INSERT INTO calls (
    tenant, caller_id, conversation_id, started_at, audio_key,
    spoken, vectors_model, dimension, heading, turns, vectors
) VALUES (
    :tenant, :caller_id, :conversation_id, :started_at,
    coalesce(
        (SELECT max(key) FROM audio WHERE tenant = :tenant AND conversation_id = :conversation_id),
        :audio_key
    ),
    :spoken, :vectors_model, :dimension, :heading, :turns, :vectors
)
ON CONFLICT (tenant, conversation_id, caller_id) DO UPDATE SET
    started_at = excluded.started_at,
    audio_key = excluded.audio_key,
    spoken = excluded.spoken,
    vectors_model = excluded.vectors_model,
    dimension = excluded.dimension,
    heading = excluded.heading,
    turns = excluded.turns,
    vectors = excluded.vectors;

-- name: put_call_vectors
UPDATE calls SET vectors_model = ?, dimension = ?, vectors = ?
WHERE tenant = ? AND caller_id = ? AND conversation_id = ?;

-- name: memories
-- Oldest first, with their vectors.
SELECT memory, vectors_model, dimension, rows, vectors
FROM memories
WHERE tenant = ? AND caller_id = ?
ORDER BY created_at, memory_id;

-- name: memory_texts
-- Oldest first, without their vectors.
SELECT memory
FROM memories
WHERE tenant = ? AND caller_id = ?
ORDER BY created_at, memory_id;

-- name: memory
SELECT memory FROM memories WHERE tenant = ? AND caller_id = ? AND memory_id = ?;

-- name: put_memory
-- Vectors outlive a change that leaves the text as it was.
INSERT INTO memories (tenant, caller_id, memory_id, created_at, memory) VALUES (?, ?, ?, ?, ?)
ON CONFLICT (tenant, caller_id, memory_id) DO UPDATE SET
    vectors_model = iif(json_extract(memory, '$.text') = json_extract(excluded.memory, '$.text'), vectors_model, ''),
    vectors = iif(json_extract(memory, '$.text') = json_extract(excluded.memory, '$.text'), vectors, NULL),
    created_at = excluded.created_at,
    memory = excluded.memory;

-- name: put_memory_vectors
UPDATE memories SET vectors_model = ?, dimension = ?, rows = ?, vectors = ?
WHERE tenant = ? AND caller_id = ? AND memory_id = ?;

-- name: drop_memory
DELETE FROM memories WHERE tenant = ? AND caller_id = ? AND memory_id = ?;

-- name: append_change
INSERT INTO history (
    tenant, caller_id, memory_id, action, at, actor, conversation_id, old_text, new_text
) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?);

-- name: history
SELECT memory_id, action, at, actor, conversation_id, old_text, new_text
FROM history
WHERE tenant = :tenant AND caller_id = :caller_id AND (:memory_id IS NULL OR memory_id = :memory_id)
ORDER BY at, id;

-- name: stale
-- Four ranges of two indices around the current model: nothing is read when nothing is stale.
SELECT DISTINCT tenant, caller_id FROM (
    SELECT tenant, caller_id FROM calls WHERE spoken > 0 AND vectors_model < :model_id
    UNION ALL
    SELECT tenant, caller_id FROM calls WHERE spoken > 0 AND vectors_model > :model_id
    UNION ALL
    SELECT tenant, caller_id FROM memories WHERE vectors_model < :model_id
    UNION ALL
    SELECT tenant, caller_id FROM memories WHERE vectors_model > :model_id
)
LIMIT :limit;

-- name: note_person
-- The first note stands; an end that came before it stays.
INSERT INTO conversations (tenant, conversation_id, caller_id, noted_at) VALUES (?, ?, ?, ?)
ON CONFLICT (tenant, conversation_id) DO UPDATE SET
    caller_id = excluded.caller_id,
    noted_at = excluded.noted_at
WHERE conversations.caller_id IS NULL;

-- name: person_of
SELECT caller_id FROM conversations WHERE tenant = ? AND conversation_id = ?;

-- name: active_since
SELECT EXISTS (
    SELECT 1 FROM conversations
    WHERE tenant = ? AND caller_id = ? AND ended = 0 AND noted_at >= ?
);

-- name: end_conversation
INSERT INTO conversations (tenant, conversation_id, ended) VALUES (?, ?, 1)
ON CONFLICT (tenant, conversation_id) DO UPDATE SET ended = 1;

-- name: note_archived
INSERT OR IGNORE INTO archive_notes (tenant, key, caller_id, conversation_id) VALUES (?, ?, ?, ?);

-- name: note_audio
INSERT OR IGNORE INTO audio (tenant, conversation_id, key) VALUES (?, ?, ?);

-- name: attach_audio
-- Of several recordings the last key counts, in whatever order they came.
UPDATE calls SET audio_key = (
    SELECT max(key) FROM audio WHERE tenant = :tenant AND conversation_id = :conversation_id
)
WHERE tenant = :tenant AND conversation_id = :conversation_id;

-- name: conversations_of
SELECT conversation_id FROM calls WHERE tenant = :tenant AND caller_id = :caller_id
UNION
SELECT conversation_id FROM conversations WHERE tenant = :tenant AND caller_id = :caller_id
UNION
SELECT conversation_id FROM archive_notes
WHERE tenant = :tenant AND caller_id = :caller_id AND conversation_id <> ''
ORDER BY 1;

-- name: keys_of_caller
SELECT key FROM archive_notes WHERE tenant = :tenant AND caller_id = :caller_id
UNION
SELECT audio_key FROM calls
WHERE tenant = :tenant AND caller_id = :caller_id AND audio_key IS NOT NULL
UNION
SELECT json_extract(heading, '$.raw_key') FROM calls
WHERE tenant = :tenant AND caller_id = :caller_id AND json_extract(heading, '$.raw_key') IS NOT NULL;

-- name: keys_of_conversation
-- Notes without a person count by their conversation.
SELECT key FROM archive_notes
WHERE tenant = :tenant AND conversation_id = :conversation_id AND caller_id = ''
UNION
SELECT key FROM audio WHERE tenant = :tenant AND conversation_id = :conversation_id;

-- name: keep_keys
-- What calls that go have told of where objects lie.
INSERT OR IGNORE INTO archive_notes (tenant, key, caller_id, conversation_id)
SELECT tenant, json_extract(heading, '$.raw_key'), caller_id, conversation_id FROM calls
WHERE tenant = :tenant AND caller_id = :caller_id AND json_extract(heading, '$.raw_key') IS NOT NULL
UNION ALL
SELECT tenant, audio_key, caller_id, conversation_id FROM calls
WHERE tenant = :tenant AND caller_id = :caller_id AND audio_key IS NOT NULL;

-- name: erase_caller
DELETE FROM callers WHERE tenant = ? AND caller_id = ?;

-- name: erase_calls
DELETE FROM calls WHERE tenant = ? AND caller_id = ?;

-- name: erase_memories
DELETE FROM memories WHERE tenant = ? AND caller_id = ?;

-- name: erase_history
DELETE FROM history WHERE tenant = ? AND caller_id = ?;

-- name: erase_conversation
DELETE FROM conversations WHERE tenant = ? AND conversation_id = ?;

-- name: erase_audio
DELETE FROM audio WHERE tenant = ? AND conversation_id = ?;

-- name: erase_archive_notes
DELETE FROM archive_notes WHERE tenant = ? AND key = ?;

-- name: tally
SELECT name, value FROM tallies;

-- name: count_erasure
UPDATE tallies SET value = value + 1 WHERE name = 'erasures';

-- name: erasures
SELECT value FROM tallies WHERE name = 'erasures';

-- name: held
-- Whether the delivery that a commit comes from is still held under this lease.
SELECT 1 FROM deliveries WHERE id = ? AND lease = ?;
