-- Where a body will lie is noted in `archive_notes` before it is put there: nothing else need know.
ALTER TABLE deliveries DROP COLUMN archive_key;

-- How often somebody was erased: tells other processes that what they keep in memory may be of nobody.
INSERT INTO tallies (name, value) VALUES ('erasures', 0);
