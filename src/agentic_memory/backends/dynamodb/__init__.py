"""One DynamoDB table: callers and what is remembered of them."""
