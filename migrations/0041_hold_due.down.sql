DROP INDEX fulfilment_hold;
