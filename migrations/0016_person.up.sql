-- A merged customer is read as part of a person: the surviving customer. Chains do not exist, so one look-up is enough.
ALTER TABLE customer
    ADD COLUMN merged_into   bigint,
    ADD COLUMN registered_at timestamptz, -- has an account: its devices alone open nothing any more
    ADD COLUMN disabled_at   timestamptz,
    ADD COLUMN erased_at     timestamptz,
    ADD COLUMN location_id   bigint;      -- the store they call theirs
ALTER TABLE customer
    ADD CONSTRAINT customer_merged_into_fkey FOREIGN KEY (merged_into) REFERENCES customer NOT VALID,
    ADD CONSTRAINT customer_location_id_fkey FOREIGN KEY (location_id) REFERENCES location NOT VALID,
    ADD CONSTRAINT customer_not_into_itself CHECK (merged_into <> id) NOT VALID;
ALTER TABLE customer VALIDATE CONSTRAINT customer_merged_into_fkey;
ALTER TABLE customer VALIDATE CONSTRAINT customer_location_id_fkey;
ALTER TABLE customer VALIDATE CONSTRAINT customer_not_into_itself;
-- Everything that reads a person asks who was merged into them. No row has a value yet, so this is quick.
CREATE INDEX customer_merged ON customer (merged_into) WHERE merged_into IS NOT NULL;

-- Names as they are searched: without accents, in lower case. unaccent's dictionary is named, which makes it immutable.
CREATE FUNCTION plain_name(name text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE STRICT AS $$
    SELECT lower(public.unaccent('public.unaccent'::regdictionary, name))
$$;

ALTER TABLE identity DROP CONSTRAINT identity_kind_check;
ALTER TABLE identity ADD CONSTRAINT identity_kind_check CHECK (kind IN ('email', 'phone', 'card', 'device', 'passkey', 'external')) NOT VALID;
ALTER TABLE identity VALIDATE CONSTRAINT identity_kind_check;

ALTER TABLE timeline
    ADD COLUMN associate_id bigint,
    ADD COLUMN detail       text NOT NULL DEFAULT ''; -- a purpose, a medium, a kind of identity: a word of ours, never of theirs
ALTER TABLE timeline
    ADD CONSTRAINT timeline_associate_id_fkey FOREIGN KEY (associate_id) REFERENCES associate NOT VALID,
    DROP CONSTRAINT timeline_kind_check;
ALTER TABLE timeline VALIDATE CONSTRAINT timeline_associate_id_fkey;
ALTER TABLE timeline ADD CONSTRAINT timeline_kind_check CHECK (kind IN (
    'added', 'bought', 'collected', 'cancelled', 'contacted', 'joined', 'registered', 'signed_in', 'signed_out', 'verified', 'removed', 'consented', 'withdrew',
    'wished', 'noted', 'opened', 'merged', 'unmerged', 'exported', 'disabled', 'enabled', 'secured')) NOT VALID;
ALTER TABLE timeline VALIDATE CONSTRAINT timeline_kind_check;

CREATE TABLE password (
    customer_id bigint PRIMARY KEY REFERENCES customer,
    hash        text NOT NULL,
    changed_at  timestamptz NOT NULL DEFAULT now()
);

-- What an authenticator gave us. Its identity says whose it is.
CREATE TABLE passkey (
    identity_id bigint PRIMARY KEY REFERENCES identity ON DELETE CASCADE,
    name        text NOT NULL,
    credential  jsonb NOT NULL,
    used_at     timestamptz
);

-- A link or code that works once. Kept as a hash: a dump opens nothing.
CREATE TABLE one_time (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    purpose     text NOT NULL CHECK (purpose IN ('register', 'sign_in', 'reset', 'email_old', 'email_new', 'claim', 'phone', 'merge', 'export', 'known')),
    token_hash  bytea UNIQUE,       -- none until its message is written
    customer_id bigint REFERENCES customer,
    target      text NOT NULL DEFAULT '', -- the address or number it goes to, and thereby proves
    payload     jsonb NOT NULL DEFAULT '{}',
    created_at  timestamptz NOT NULL DEFAULT now(),
    expires_at  timestamptz NOT NULL,
    used_at     timestamptz
);
CREATE INDEX one_time_customer ON one_time (customer_id);
-- Sweeping what is over.
CREATE INDEX one_time_expires ON one_time (expires_at);

-- A merge and its log: enough to take it back.
CREATE TABLE merge (
    id           bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    survivor_id  bigint NOT NULL REFERENCES customer,
    absorbed_id  bigint NOT NULL REFERENCES customer,
    proof        text NOT NULL CHECK (proof IN ('verified', 'code', 'manager')),
    reason       text NOT NULL DEFAULT '',
    associate_id bigint REFERENCES associate,
    approved_by  bigint REFERENCES associate,
    at           timestamptz NOT NULL DEFAULT now(),
    undone_at    timestamptz,
    undone_by    bigint REFERENCES associate,
    CHECK (survivor_id <> absorbed_id)
);
CREATE INDEX merge_survivor ON merge (survivor_id);
CREATE UNIQUE INDEX merge_absorbed ON merge (absorbed_id) WHERE undone_at IS NULL;

CREATE TABLE merge_move (
    merge_id bigint NOT NULL REFERENCES merge,
    what     text NOT NULL CHECK (what IN ('member', 'cart', 'cart_closed', 'line', 'wish', 'wish_dropped', 'address')),
    row_id   bigint NOT NULL,           -- customer, cart, variant or address
    data     jsonb NOT NULL DEFAULT '{}',
    PRIMARY KEY (merge_id, what, row_id)
);

ALTER TABLE cart DROP CONSTRAINT cart_state_check;
ALTER TABLE cart ADD CONSTRAINT cart_state_check CHECK (state IN ('open', 'ordered', 'joined')) NOT VALID;
ALTER TABLE cart VALIDATE CONSTRAINT cart_state_check;

-- What somebody wants, but not now: their wish list, and what they took out of the cart to keep.
CREATE TABLE wish (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    customer_id bigint NOT NULL REFERENCES customer,
    list        text NOT NULL CHECK (list IN ('wish', 'later')),
    variant_id  bigint NOT NULL REFERENCES variant,
    quantity    integer NOT NULL DEFAULT 1 CHECK (quantity BETWEEN 1 AND 99),
    channel     text NOT NULL,
    added_at    timestamptz NOT NULL DEFAULT now(),
    UNIQUE (customer_id, list, variant_id)
);
CREATE INDEX wish_variant ON wish (variant_id);

CREATE TABLE address (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    customer_id bigint NOT NULL REFERENCES customer,
    name        text NOT NULL CHECK (name <> ''),
    lines       text NOT NULL CHECK (lines <> ''), -- street, flat, whatever the country writes, one a line
    town        text NOT NULL,
    region      text NOT NULL DEFAULT '',
    postcode    text NOT NULL DEFAULT '',
    country     char(2) NOT NULL,
    phone       text NOT NULL DEFAULT '',
    created_at  timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX address_customer ON address (customer_id);

-- Every giving and withdrawing, never rewritten; the latest of a purpose and medium holds.
CREATE TABLE consent (
    id           bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    customer_id  bigint NOT NULL REFERENCES customer,
    purpose      text NOT NULL CHECK (purpose IN ('marketing', 'personalisation', 'location', 'clienteling')),
    medium       text NOT NULL CHECK (medium IN ('mail', 'sms', 'push', 'phone', 'shop')),
    given        boolean NOT NULL,
    wording      integer NOT NULL, -- version of the sentence that was shown
    source       text NOT NULL,    -- channel
    associate_id bigint REFERENCES associate,
    at           timestamptz NOT NULL DEFAULT now(),
    CHECK ((purpose = 'marketing') = (medium <> 'shop'))
);
CREATE INDEX consent_customer ON consent (customer_id, purpose, medium, id DESC);

-- Whether a person agrees now: their last word on it, on whichever of their profiles it was said.
CREATE FUNCTION consented(person bigint, for_purpose text, by_medium text) RETURNS boolean
LANGUAGE sql STABLE AS $$
    SELECT coalesce((
        SELECT given
        FROM consent
        WHERE customer_id IN (SELECT id FROM customer WHERE id = person OR merged_into = person) AND purpose = for_purpose AND medium = by_medium
        ORDER BY id DESC
        LIMIT 1), false)
$$;

-- What they said they like or wear. What their purchases say is read from the purchases.
CREATE TABLE preference (
    customer_id bigint NOT NULL REFERENCES customer,
    name        text NOT NULL CHECK (name <> ''),
    value       text NOT NULL CHECK (value <> ''),
    source      text NOT NULL,
    at          timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (customer_id, name)
);

-- Each entry is its writer's own row: two who write at once both keep what they wrote.
CREATE TABLE note (
    id           bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    customer_id  bigint NOT NULL REFERENCES customer,
    kind         text NOT NULL CHECK (kind IN ('note', 'visit', 'call', 'alert')),
    body         text NOT NULL CHECK (body <> ''),
    associate_id bigint REFERENCES associate, -- none: brought in from elsewhere
    location_id  bigint REFERENCES location,
    at           timestamptz NOT NULL DEFAULT now(),
    closed_at    timestamptz, -- an alert that is dealt with, a note that was struck out
    closed_by    bigint REFERENCES associate
);
CREATE INDEX note_customer ON note (customer_id, id DESC);

CREATE TABLE customer_tag (
    customer_id bigint NOT NULL REFERENCES customer,
    tag         text NOT NULL CHECK (tag <> ''),
    PRIMARY KEY (customer_id, tag)
);
-- Admin's segments.
CREATE INDEX customer_tag_tag ON customer_tag (tag);

-- Viewed and searched: lossy, by device, only with consent, pruned by dropping months.
CREATE TABLE browse_event (
    device     text NOT NULL, -- as the identity of kind device has it
    at         timestamptz NOT NULL,
    kind       text NOT NULL CHECK (kind IN ('viewed', 'searched')),
    product_id bigint,
    words      text NOT NULL DEFAULT '',
    CHECK ((kind = 'viewed') = (product_id IS NOT NULL))
) PARTITION BY RANGE (at);
CREATE INDEX browse_event_device ON browse_event (device, at DESC);

-- A month's partition, made ahead by a job. Two who make it at once wait for each other.
CREATE FUNCTION browse_event_month(day date) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    first date := date_trunc('month', day);
BEGIN
    PERFORM pg_advisory_xact_lock(hashtext('browse_event_month'));
    EXECUTE format('CREATE TABLE IF NOT EXISTS browse_event_%s PARTITION OF browse_event FOR VALUES FROM (%L) TO (%L)',
        to_char(first, 'YYYYMM'), first, (first + interval '1 month')::date);
END $$;

SELECT browse_event_month(now()::date);
SELECT browse_event_month((now() + interval '1 month')::date);

-- A copy of everything about somebody, made by a job and open to the link that was mailed.
CREATE TABLE export (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    customer_id bigint NOT NULL REFERENCES customer,
    file        text,  -- key in the file store, written down before the file is
    made_at     timestamptz,
    asked_by    bigint REFERENCES associate, -- none: the customer
    asked_at    timestamptz NOT NULL DEFAULT now(),
    expires_at  timestamptz NOT NULL
);
CREATE INDEX export_customer ON export (customer_id);
