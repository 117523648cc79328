-- Statements of SqliteInbox. Each begins with its name; the comment below it says what it is for.

-- name: submit
-- Gives the new id, or no row where the dedupe key is known.
INSERT INTO deliveries (
    tenant, platform, dedupe_key, state, type, conversation_id, event_timestamp, received_at, due_at, size
) VALUES (?, ?, ?, 'pending', ?, ?, ?, ?, ?, ?)
ON CONFLICT (tenant, dedupe_key) DO NOTHING
RETURNING id;

-- name: put_body
INSERT INTO bodies (delivery, body) VALUES (?, ?)
ON CONFLICT (delivery) DO UPDATE SET body = excluded.body;

-- name: known
SELECT id, lease IS NOT NULL FROM deliveries WHERE tenant = ? AND dedupe_key = ?;

-- name: reopen
-- Waiting again, as if it had just come.
UPDATE deliveries SET
    state = 'pending', platform = ?, type = ?, conversation_id = ?, event_timestamp = ?,
    received_at = ?, due_at = ?, size = ?,
    attempts = 0, buried_at = NULL, error_code = NULL, error = NULL
WHERE id = ?;

-- name: due
SELECT id FROM deliveries INDEXED BY deliveries_due
WHERE state = 'pending' AND due_at <= ?
ORDER BY due_at, id
LIMIT ?;

-- name: lease
UPDATE deliveries SET lease = ?, due_at = ?, attempts = attempts + 1
WHERE id = ?;

-- name: leased
SELECT d.id, tenant, platform, body, received_at, type, conversation_id, event_timestamp, attempts, lease
FROM deliveries AS d JOIN bodies AS b ON b.delivery = d.id
WHERE d.id = ?;

-- name: recover
-- What a worker held that lives no more; only asked while no other one lives.
UPDATE deliveries INDEXED BY deliveries_due SET lease = NULL, due_at = ?
WHERE state = 'pending' AND lease IS NOT NULL;

-- name: renew
UPDATE deliveries SET due_at = ? WHERE id = ? AND lease = ?;

-- name: is_held
SELECT 1 FROM deliveries WHERE id = ? AND lease = ?;

-- name: done
-- Nothing is left but what tells a duplicate.
UPDATE deliveries SET
    state = 'done', lease = NULL, type = NULL, conversation_id = NULL, event_timestamp = NULL,
    error_code = NULL, error = NULL, size = 0
WHERE id = ? AND lease = ?;

-- name: drop_body
DELETE FROM bodies WHERE delivery = ?;

-- name: retry
UPDATE deliveries SET lease = NULL, due_at = ?, error_code = ?, error = ?
WHERE id = ? AND lease = ?;

-- name: bury
UPDATE deliveries SET state = 'dead', lease = NULL, buried_at = ?, error_code = ?, error = ?
WHERE id = ? AND lease = ?;

-- name: dead_letters
SELECT id, tenant, platform, type, conversation_id, event_timestamp, received_at, buried_at,
       attempts, error_code, error, size
FROM deliveries INDEXED BY deliveries_dead
WHERE state = 'dead' AND id > ?
ORDER BY id
LIMIT ?;

-- name: revive
UPDATE deliveries SET state = 'pending', due_at = ?, attempts = 0, buried_at = NULL
WHERE state = 'dead' AND id = ?;

-- name: revive_all
UPDATE deliveries SET state = 'pending', due_at = ?, attempts = 0, buried_at = NULL
WHERE state = 'dead';

-- name: kept_bodies
SELECT b.delivery, d.conversation_id
FROM bodies AS b JOIN deliveries AS d ON d.id = b.delivery
WHERE d.tenant = ?;

-- name: body
SELECT body FROM bodies WHERE delivery = ?;

-- name: purge
-- A worker that holds it loses its lease.
UPDATE deliveries SET
    state = 'done', lease = NULL, type = NULL, conversation_id = NULL, event_timestamp = NULL,
    error_code = NULL, error = NULL, size = 0
WHERE id = ?;

-- name: next_due
SELECT min(due_at) FROM deliveries INDEXED BY deliveries_due WHERE state = 'pending';

-- name: count_pending
SELECT count(*), min(received_at) FROM deliveries INDEXED BY deliveries_due WHERE state = 'pending';

-- name: count_dead
SELECT count(*) FROM deliveries INDEXED BY deliveries_dead WHERE state = 'dead';

-- name: count_quarantine
SELECT count(*), coalesce(sum(size), 0) FROM quarantine INDEXED BY quarantine_by_age;

-- name: is_quarantined
SELECT EXISTS (SELECT 1 FROM quarantine WHERE id = ?);

-- name: quarantine
INSERT INTO quarantine (id, platform, signature, received_at, size, body) VALUES (?, ?, ?, ?, ?, ?);

-- name: quarantine_ids
SELECT id FROM quarantine ORDER BY received_at, id;

-- name: quarantined
SELECT id, platform, body, signature, received_at FROM quarantine WHERE id = ?;

-- name: release
DELETE FROM quarantine WHERE id = ?;
