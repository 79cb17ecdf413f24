-- Whose client somebody is: an associate's own people.
CREATE TABLE client (
    customer_id  bigint PRIMARY KEY REFERENCES customer,
    associate_id bigint NOT NULL REFERENCES associate,
    since        timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX client_associate ON client (associate_id);

-- What an associate wants to be reminded of about somebody, on a day of the store.
CREATE TABLE follow_up (
    id           bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    customer_id  bigint  NOT NULL REFERENCES customer,
    associate_id bigint  NOT NULL REFERENCES associate,
    due_on       date    NOT NULL,
    body         text    NOT NULL CHECK (body <> ''),
    yearly       boolean NOT NULL DEFAULT false, -- a birthday: done, it comes again
    form         text    UNIQUE, -- of the page: sent twice, it is written once
    made_at      timestamptz NOT NULL DEFAULT now(),
    done_at      timestamptz
);
CREATE INDEX follow_up_due ON follow_up (associate_id, due_on) WHERE done_at IS NULL;
CREATE INDEX follow_up_customer ON follow_up (customer_id);
CREATE INDEX follow_up_made ON follow_up (made_at);

DO $$
BEGIN
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'counterpart_server') THEN
        GRANT SELECT, INSERT, UPDATE, DELETE ON client, follow_up TO counterpart_server;
        GRANT USAGE, SELECT ON SEQUENCE follow_up_id_seq TO counterpart_server;
    END IF;
END $$;
