-- When the newest grant was issued that a device says it keeps, and when it was found that there
-- are two of it.
ALTER TABLE device ADD COLUMN kept_grant INTEGER;
ALTER TABLE device ADD COLUMN copied_at INTEGER;
