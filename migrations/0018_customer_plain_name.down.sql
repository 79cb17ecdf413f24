DROP INDEX CONCURRENTLY customer_plain_name;
