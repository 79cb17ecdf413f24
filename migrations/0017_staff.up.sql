ALTER TABLE shop
    ADD COLUMN forget_key    text NOT NULL DEFAULT gen_random_uuid()::text, -- makes what the list of the forgotten says of them unreadable without the database
    ADD COLUMN second_factor boolean NOT NULL DEFAULT false, -- nobody works here on a password alone
    ADD COLUMN idle_minutes  integer NOT NULL DEFAULT 10;    -- a counter that nobody touched for so long asks who is there
ALTER TABLE shop ADD CONSTRAINT shop_idle_minutes_check CHECK (idle_minutes BETWEEN 1 AND 240);

ALTER TABLE associate
    ADD COLUMN totp_secret bytea,  -- RFC 6238, proven by a first code
    ADD COLUMN totp_step   bigint NOT NULL DEFAULT 0, -- the last step that was used: a code works once
    ADD COLUMN pin_hash    text;

CREATE TABLE associate_passkey (
    id           bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    associate_id bigint NOT NULL REFERENCES associate,
    credential_id bytea NOT NULL UNIQUE,
    name         text NOT NULL,
    credential   jsonb NOT NULL,
    created_at   timestamptz NOT NULL DEFAULT now(),
    used_at      timestamptz
);
CREATE INDEX associate_passkey_associate ON associate_passkey (associate_id);

-- A machine at a counter on which associates change by PIN.
CREATE TABLE device (
    id            bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    token_hash    bytea NOT NULL UNIQUE,
    name          text NOT NULL CHECK (name <> ''),
    location_id   bigint NOT NULL REFERENCES location,
    registered_by bigint NOT NULL REFERENCES associate,
    registered_at timestamptz NOT NULL DEFAULT now(),
    failures      integer NOT NULL DEFAULT 0, -- wrong PINs in a row, whoever's
    locked_at     timestamptz,
    revoked_at    timestamptz
);
CREATE INDEX device_location ON device (location_id);

-- Who signed in on a machine with everything they have: for half a day their PIN is enough there.
CREATE TABLE device_associate (
    device_id    bigint NOT NULL REFERENCES device,
    associate_id bigint NOT NULL REFERENCES associate,
    full_at      timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (device_id, associate_id)
);

-- A session is an associate's or a customer's.
ALTER TABLE session
    ALTER COLUMN associate_id DROP NOT NULL,
    ADD COLUMN customer_id bigint,
    ADD COLUMN device_id   bigint,
    ADD COLUMN method      text NOT NULL DEFAULT 'password',
    ADD COLUMN agent       text NOT NULL DEFAULT '', -- “Firefox on a phone”, for the list of where somebody is signed in
    ADD COLUMN seen_at     timestamptz NOT NULL DEFAULT now(),
    ADD COLUMN locked_at   timestamptz,
    ADD COLUMN enrolled    boolean NOT NULL DEFAULT true; -- false: may only set up a second factor
ALTER TABLE session
    ADD CONSTRAINT session_customer_id_fkey FOREIGN KEY (customer_id) REFERENCES customer NOT VALID,
    ADD CONSTRAINT session_device_id_fkey FOREIGN KEY (device_id) REFERENCES device NOT VALID,
    ADD CONSTRAINT session_one_principal CHECK (num_nonnulls(associate_id, customer_id) = 1) NOT VALID,
    ADD CONSTRAINT session_method_check CHECK (method IN ('password', 'passkey', 'code', 'pin', 'link', 'oidc')) NOT VALID;
ALTER TABLE session VALIDATE CONSTRAINT session_customer_id_fkey;
ALTER TABLE session VALIDATE CONSTRAINT session_device_id_fkey;
ALTER TABLE session VALIDATE CONSTRAINT session_one_principal;
ALTER TABLE session VALIDATE CONSTRAINT session_method_check;
-- Signing a customer out everywhere.
CREATE INDEX session_customer ON session (customer_id) WHERE customer_id IS NOT NULL;

-- Half of a sign-in or an enrolment: what the browser has to answer, once. Also a password that was right, waiting for the second factor.
CREATE TABLE challenge (
    token_hash   bytea PRIMARY KEY,
    purpose      text NOT NULL CHECK (purpose IN ('customer_enrol', 'customer_sign_in', 'staff_enrol', 'staff_second', 'oidc')),
    associate_id bigint REFERENCES associate,
    customer_id  bigint REFERENCES customer,
    data         jsonb NOT NULL DEFAULT '{}',
    expires_at   timestamptz NOT NULL
);

-- Who did what, and who allowed it. Subjects by kind and id, never by name; never rewritten.
CREATE TABLE audit_entry (
    id           bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at           timestamptz NOT NULL DEFAULT now(),
    associate_id bigint REFERENCES associate, -- none: the customer, or the system
    approved_by  bigint REFERENCES associate,
    action       text NOT NULL,
    subject      text NOT NULL,
    subject_id   bigint NOT NULL,
    location_id  bigint REFERENCES location,
    before       jsonb,
    after        jsonb,
    reason       text NOT NULL DEFAULT ''
);
CREATE INDEX audit_entry_at ON audit_entry (id DESC, action);
CREATE INDEX audit_entry_subject ON audit_entry (subject, subject_id, id DESC);
