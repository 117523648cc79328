"""The Lambda function behind `POST /post-call`."""
