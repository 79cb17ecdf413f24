-- Apart from adding them, so that reading the tables holds nobody up.
ALTER TABLE consent VALIDATE CONSTRAINT consent_purpose_check;
ALTER TABLE one_time VALIDATE CONSTRAINT one_time_purpose_check;
ALTER TABLE hint VALIDATE CONSTRAINT hint_held_unmarked;
