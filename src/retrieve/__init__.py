"""The Lambda function behind `POST /retrieve`."""
