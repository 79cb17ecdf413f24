DROP TABLE past_sale;
