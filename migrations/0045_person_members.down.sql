DROP FUNCTION person_members(bigint);
