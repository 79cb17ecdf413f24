-- Goods that stand in a shop which has none of its own yet, until somebody takes them away.
ALTER TABLE product ADD COLUMN sample boolean NOT NULL DEFAULT false;
CREATE INDEX product_sample ON product (id) WHERE sample;
