DROP TABLE hint_reason, hint;
