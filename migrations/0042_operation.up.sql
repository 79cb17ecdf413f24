-- Where an account was signed in to before: hashes of the account and of the device or network, so that a stranger's wrong tries count apart. Kept 90 days.
CREATE TABLE known_place (
    account text NOT NULL,
    place   text NOT NULL,
    seen_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (account, place)
);
CREATE INDEX known_place_seen ON known_place (seen_at);

-- The oldest build that can serve on this schema. A migration that an older build cannot live with raises it.
CREATE TABLE schema_compatible (
    one   boolean PRIMARY KEY DEFAULT true CHECK (one),
    since bigint NOT NULL
);
INSERT INTO schema_compatible (since) VALUES (42);
