DELETE FROM one_time WHERE purpose = 'watch';
ALTER TABLE one_time DROP CONSTRAINT one_time_purpose_check;
ALTER TABLE one_time ADD CONSTRAINT one_time_purpose_check CHECK (purpose IN ('register', 'sign_in', 'reset', 'email_old',
    'email_new', 'claim', 'phone', 'merge', 'export', 'known'));
DROP TABLE outreach_rule;
DROP TABLE outreach;
DROP TABLE watch;
