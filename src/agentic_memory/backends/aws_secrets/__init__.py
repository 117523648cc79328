"""Keys out of AWS Secrets Manager, without an SDK: importing one costs more than a ring may wait."""
