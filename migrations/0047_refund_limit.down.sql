DROP TABLE refund_limit;
