"""A gRPC server with the health service: `health.py PORT [CHAIN KEY]`.

It knows the services "" and "up" (SERVING), "down" (NOT_SERVING), "unsure" (UNKNOWN),
"private" (SERVING for those with the token), "absent" (the code for a method that there
is not), "broken" (an error with a text) and "slow" (no answer).
"""

import sys
import threading
from concurrent import futures

import grpc

STATUS = {"": 1, "up": 1, "down": 2, "unsure": 0}


def check(request, context):
    # A message with one text, the first field, which may be left out.
    service = request[2:].decode()
    metadata = dict(context.invocation_metadata())
    if service == "private":
        if metadata.get("x-token") != "s3cret":
            context.abort(grpc.StatusCode.UNAUTHENTICATED, "who is there?")
        return b"\x08\x01"
    if service == "absent":
        context.abort(grpc.StatusCode.UNIMPLEMENTED, "")
    if service == "broken":
        context.abort(grpc.StatusCode.UNAVAILABLE, "100% débris")
    if service == "slow":
        ended = threading.Event()
        context.add_callback(ended.set)
        ended.wait(60)
    if service not in STATUS:
        context.abort(grpc.StatusCode.NOT_FOUND, "unknown service")
    status = STATUS[service]
    return bytes([8, status]) if status else b""


def main():
    server = grpc.server(futures.ThreadPoolExecutor(max_workers=4))
    method = grpc.unary_unary_rpc_method_handler(check)
    service = grpc.method_handlers_generic_handler(
        "grpc.health.v1.Health", {"Check": method}
    )
    server.add_generic_rpc_handlers((service,))
    address = f"127.0.0.1:{sys.argv[1]}"
    if len(sys.argv) > 2:
        with open(sys.argv[2], "rb") as chain, open(sys.argv[3], "rb") as key:
            credentials = grpc.ssl_server_credentials([(key.read(), chain.read())])
        port = server.add_secure_port(address, credentials)
    else:
        port = server.add_insecure_port(address)
    if port == 0:
        sys.exit(f"cannot listen on {address}")
    server.start()
    server.wait_for_termination()


main()
