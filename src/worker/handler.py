"""Remembers the calls that `/post-call` put into the queue, as a Lambda function behind SQS."""

from agentic_memory.interfaces.functions import worker_function

handler = worker_function()
