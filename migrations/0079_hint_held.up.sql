-- Of people in the holdout nothing is said: it is kept what would have been, to compare with.
ALTER TABLE hint ADD COLUMN held boolean NOT NULL DEFAULT false;
ALTER TABLE hint ADD CONSTRAINT hint_held_unmarked CHECK (NOT held OR mark IS NULL) NOT VALID;
