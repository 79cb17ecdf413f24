DROP TABLE reservation;
DROP TABLE stock_move;
DROP TABLE stock_level;
