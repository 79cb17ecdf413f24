-- The language that somebody on the staff reads their pages in; NULL: the one that their browser asks for.
ALTER TABLE associate ADD COLUMN language text CHECK (language ~ '^[a-z]{2}$');
