"""JAX's side of the train-step benchmark: the step as one jitted function with donated state, AdamW as published.

Reads weights and batch as the TypeScript side wrote them (safetensors), then answers each line of stdin, a number of
steps, with one line of JSON: milliseconds and losses of these steps, and the processor time they took.

Usage: python3 jax_vision.py FOLDER
"""

import json
import sys
import time

import jax
import jax.numpy as jnp
import numpy

folder = sys.argv[1]


def read_safetensors(path):
    with open(path, "rb") as file:
        header = json.loads(file.read(int.from_bytes(file.read(8), "little")))
        body = file.read()
    dtypes = {"F32": numpy.float32, "I32": numpy.int32}
    return {
        name: numpy.frombuffer(
            body, dtypes[entry["dtype"]], offset=entry["data_offsets"][0], count=int(numpy.prod(entry["shape"]))
        ).reshape(entry["shape"])
        for name, entry in header.items()
        if name != "__metadata__"
    }


size = json.load(open(f"{folder}/size.json"))
batch = read_safetensors(f"{folder}/batch.safetensors")
B, N, D, G = size["batch"], size["tokens"], size["width"], size["heads"]
BETA1, BETA2, EPSILON, DECAY, RATE = 0.9, 0.999, 1e-8, 0.01, 1e-3


def linear(p, x, name):
    product = x @ p[f"{name}.weight"]
    return product + p[f"{name}.bias"] if f"{name}.bias" in p else product


def norm(p, x, name):
    centred = x - x.mean(-1, keepdims=True)
    variance = (centred * centred).mean(-1, keepdims=True)
    return centred * jax.lax.rsqrt(variance + 1e-5) * p[f"{name}.weight"] + p[f"{name}.bias"]


def attention(p, x, name):
    def heads(part):
        return linear(p, x, f"{name}.{part}").reshape(B, N, G, D // G).transpose(0, 2, 1, 3)

    query, key, value = heads("query"), heads("key"), heads("value")
    seen = jax.nn.softmax(query @ key.swapaxes(-1, -2) * (D // G) ** -0.5, -1) @ value
    return linear(p, seen.transpose(0, 2, 1, 3).reshape(B, N, D), f"{name}.output")


def loss(p, patches, labels):
    x = linear(p, patches, "embed") + p["position"]
    for index in range(size["depth"]):
        name = f"blocks.{index}"
        x = x + attention(p, norm(p, x, f"{name}.self.norm"), f"{name}.self.attention")
        inner = linear(p, norm(p, x, f"{name}.norm"), f"{name}.mlp.up")
        x = x + linear(p, jax.nn.gelu(inner, approximate=False), f"{name}.mlp.down")
    logits = jax.nn.log_softmax(linear(p, norm(p, x, "norm").mean(1), "head"))
    return -jnp.mean(jnp.take_along_axis(logits, labels[:, None], 1))


def step(state, patches, labels):
    p, first, second, count = state
    value, gradient = jax.value_and_grad(loss)(p, patches, labels)
    count = count + 1
    scale1, scale2 = 1 - BETA1**count, 1 - BETA2**count
    first = jax.tree.map(lambda m, g: BETA1 * m + (1 - BETA1) * g, first, gradient)
    second = jax.tree.map(lambda v, g: BETA2 * v + (1 - BETA2) * g * g, second, gradient)

    def move(w, m, v):
        kept = w * (1 - RATE * DECAY) if w.ndim >= 2 else w
        return kept - RATE * (m / scale1) / (jnp.sqrt(v / scale2) + EPSILON)

    return (jax.tree.map(move, p, first, second), first, second, count), value


run = jax.jit(step, donate_argnums=0)
weights = {name: jnp.asarray(array) for name, array in read_safetensors(f"{folder}/weights.safetensors").items()}
zeros = lambda: {name: jnp.zeros_like(array) for name, array in weights.items()}
state = (weights, zeros(), zeros(), jnp.float32(0))
patches, labels = batch["patches"], batch["labels"]

print(json.dumps({"version": jax.__version__}), flush=True)
for line in sys.stdin:
    milliseconds, losses = [], []
    cpu = time.process_time()
    for _ in range(int(line)):
        start = time.perf_counter()
        state, value = run(state, patches, labels)
        losses.append(float(value))
        jax.block_until_ready(state)
        milliseconds.append((time.perf_counter() - start) * 1e3)
    print(json.dumps({"ms": milliseconds, "losses": losses, "cpuMs": (time.process_time() - cpu) * 1e3}), flush=True)
