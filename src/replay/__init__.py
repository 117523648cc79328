"""The Lambda function that replays."""
