"""The Lambda function behind `POST /client-data`."""
