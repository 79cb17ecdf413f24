DROP TRIGGER basket_returned ON returned_unit;
DROP TRIGGER basket_changed ON order_unit;
DROP FUNCTION note_returned_basket, note_cancelled_basket;
DROP TABLE recommending, basket_changed, goes_with, bought_with, bought, basket;
