DROP TABLE audit_entry;
DROP TABLE challenge;
DELETE FROM session WHERE associate_id IS NULL;
ALTER TABLE session
    DROP COLUMN customer_id,
    DROP COLUMN device_id,
    DROP COLUMN method,
    DROP COLUMN agent,
    DROP COLUMN seen_at,
    DROP COLUMN locked_at,
    DROP COLUMN enrolled,
    ALTER COLUMN associate_id SET NOT NULL;
DROP TABLE device_associate;
DROP TABLE device;
DROP TABLE associate_passkey;
ALTER TABLE associate
    DROP COLUMN totp_secret,
    DROP COLUMN totp_step,
    DROP COLUMN pin_hash;
ALTER TABLE shop
    DROP COLUMN forget_key,
    DROP COLUMN second_factor,
    DROP COLUMN idle_minutes;
