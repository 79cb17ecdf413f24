DROP TABLE document_tax, document, document_series;
