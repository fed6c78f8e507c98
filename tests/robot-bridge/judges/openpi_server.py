"""A policy server as openpi's WebsocketPolicyServer behaves, with openpi-client's own encoding. usage: openpi_server.py PORT"""

import http
import sys
import traceback

import numpy as np
from openpi_client import msgpack_numpy
from websockets.sync.server import serve


def answer(socket):
    socket.send(msgpack_numpy.packb({"policy": "judge"}))
    try:
        for message in socket:
            observation = msgpack_numpy.unpackb(message)
            image = observation["observation/image"]
            assert image.dtype == np.uint8 and image.ndim == 3, "the picture is not u8[H, W, 3]"
            state = observation["observation/state"]
            rows = np.tile(state[:2], (4, 1)).astype(np.float64) + image.mean()
            socket.send(msgpack_numpy.packb({"actions": rows, "prompt": observation["prompt"]}))
    except Exception:
        socket.send(traceback.format_exc())
        socket.close(1011, "Internal server error. Traceback included in previous frame.")


def health(connection, request):
    return connection.respond(http.HTTPStatus.OK, "OK\n") if request.path == "/healthz" else None


with serve(answer, "127.0.0.1", int(sys.argv[1]), compression=None, max_size=None, process_request=health) as server:
    print("listening", flush=True)
    server.serve_forever()
