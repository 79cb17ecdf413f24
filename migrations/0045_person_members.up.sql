-- The customers that a person is: the surviving one, and those that were merged into it. Postgres puts it into the statement that asks in FROM.
CREATE FUNCTION person_members(person bigint) RETURNS SETOF bigint
    LANGUAGE sql STABLE PARALLEL SAFE
    AS $$ SELECT id FROM customer WHERE id = person OR merged_into = person $$;
