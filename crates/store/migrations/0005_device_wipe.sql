-- A device that is to be wiped is revoked; when that was asked for, and when the device first
-- heard of it.
ALTER TABLE device ADD COLUMN wipe_at INTEGER;
ALTER TABLE device ADD COLUMN wipe_told_at INTEGER;
