"""Raw bodies and recordings in an S3 bucket."""
