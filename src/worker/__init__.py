"""The Lambda function that remembers."""
