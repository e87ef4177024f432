-- A session is known to be of a device once the device signed in with it, was enrolled by it or
-- used it: revoking the device ends it.
ALTER TABLE session ADD COLUMN device TEXT;
CREATE INDEX session_device ON session (device) WHERE device IS NOT NULL;
