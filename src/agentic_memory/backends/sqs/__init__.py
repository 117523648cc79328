"""Deliveries by SQS: bodies in S3, pointers in a queue."""
