"""Judges a policy server with the real openpi-client (pip install openpi-client). Prints one line of JSON.

usage: openpi_probe.py PORT API_KEY
"""

import json
import sys
import urllib.request

import numpy as np
import websockets.sync.client
from openpi_client import image_tools, msgpack_numpy, websocket_client_policy

port, key = int(sys.argv[1]), sys.argv[2]
policy = websocket_client_policy.WebsocketClientPolicy("127.0.0.1", port, key)
random = np.random.default_rng(0)


def observation():
    image = random.integers(0, 256, (256, 256, 3), dtype=np.uint8)
    image = image_tools.convert_to_uint8(image_tools.resize_with_pad(image, 224, 224))
    return {
        "observation/image": image,
        "observation/wrist_image": image[::-1].copy(),
        "observation/state": random.standard_normal(8).astype(np.float32),
        "prompt": "pick up the black bowl",
    }


seen = {"metadata": policy.get_server_metadata(), "replies": []}
for _ in range(3):
    asked = observation()
    reply = policy.infer(asked)
    actions = reply["actions"]
    seen["replies"].append(
        {
            "shape": list(actions.shape),
            "dtype": str(actions.dtype),
            "first": [float(value) for value in actions[0]],
            "asked": [float(value) for value in asked["observation/state"][:2]],
            "timing": sorted(reply["server_timing"]),
        }
    )
headers = {"Authorization": f"Api-Key {key}"}
with websockets.sync.client.connect(
    f"ws://127.0.0.1:{port}", compression=None, max_size=None, additional_headers=headers
) as socket:
    msgpack_numpy.unpackb(socket.recv())
    socket.send(msgpack_numpy.packb({"nonsense": 1}))
    seen["error"] = socket.recv(timeout=5)
with urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz", timeout=3) as response:
    seen["health"] = [response.status, response.read().decode()]
print(json.dumps(seen))
