"""`POST /client-data` as a Lambda function.

Everything heavy is loaded here, at initialisation; keys and clients are made at the first request.
"""

from agentic_memory.interfaces.functions import http_function

handler = http_function("client_data")
