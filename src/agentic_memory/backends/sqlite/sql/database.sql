-- Statements of Database.

-- name: ping
-- A write that changes nothing anybody reads.
UPDATE tallies SET value = value + 1 WHERE name = 'pings';

-- name: scrub_due
SELECT value FROM tallies WHERE name = 'scrub_due';

-- name: set_scrub_due
UPDATE tallies SET value = ? WHERE name = 'scrub_due';
