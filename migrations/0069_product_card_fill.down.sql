DELETE FROM category_card;
DELETE FROM product_card;
