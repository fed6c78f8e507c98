"""JAX's side of the LAPA step benchmark: one jitted step with donated state. Usage: python3 step_jax.py FOLDER"""

import json
import sys

import jax
import jax.numpy as jnp

from step_models import losses, read_safetensors, serve

folder = sys.argv[1]
BETA1, BETA2, EPSILON, RATE = 0.9, 0.999, 1e-8, 1e-3


class Ops:
    relu, softmax = staticmethod(jax.nn.relu), staticmethod(lambda x: jax.nn.softmax(x, -1))
    gelu, where = staticmethod(lambda x: jax.nn.gelu(x, approximate=False)), staticmethod(jnp.where)
    concat, permute = staticmethod(jnp.concatenate), staticmethod(jnp.transpose)
    clip, argmin, ones_like = staticmethod(jnp.clip), staticmethod(jnp.argmin), staticmethod(jnp.ones_like)
    stop, float = staticmethod(jax.lax.stop_gradient), staticmethod(lambda x: x.astype(jnp.float32))
    amax, swap = staticmethod(jnp.max), staticmethod(lambda x: x.swapaxes(-1, -2))
    stop_tree, one_hot = staticmethod(jax.lax.stop_gradient), staticmethod(jax.nn.one_hot)

    @staticmethod
    def repeat(queries, batch):
        return jnp.broadcast_to(queries, (batch, *queries.shape))

    @staticmethod
    def linear(x, p, name):
        product = x @ p[f"{name}.weight"]
        return product + p[f"{name}.bias"] if f"{name}.bias" in p else product

    @staticmethod
    def norm(x, p, name):
        centred = x - x.mean(-1, keepdims=True)
        variance = (centred * centred).mean(-1, keepdims=True)
        return centred * jax.lax.rsqrt(variance + 1e-5) * p[f"{name}.weight"] + p[f"{name}.bias"]

    @staticmethod
    def conv(x, p, name, stride):
        numbers = ("NHWC", "HWIO", "NHWC")
        result = jax.lax.conv_general_dilated(x, p[f"{name}.weight"], (stride, stride), "SAME", dimension_numbers=numbers)
        return result + p[f"{name}.bias"]

    @staticmethod
    def grid(height, width):
        y, x = jnp.meshgrid(jnp.arange(height), jnp.arange(width), indexing="ij")
        return jnp.stack([(2 * x + 1) / width - 1, (2 * y + 1) / height - 1], -1).reshape(-1, 2)

    @staticmethod
    def causal(tokens):
        return jnp.triu(jnp.full((tokens, tokens), -1e9), 1)

    @staticmethod
    def cross_entropy(logits, labels, mask, smoothing):
        shares = jax.nn.log_softmax(logits)
        targets = jax.nn.one_hot(labels, logits.shape[-1]) * (1 - smoothing) + smoothing / logits.shape[-1]
        rows = -(targets * shares).sum(-1)
        return rows.mean() if mask is None else (rows * mask).sum() / mask.sum()


config = json.load(open(f"{folder}/config.json"))
loss_of = losses[config["kind"]]


def step(state, batch):
    p, extra, first, second, count = state
    run = lambda weights: loss_of(Ops, weights, extra, config, batch)
    (value, extra), gradient = jax.value_and_grad(run, has_aux=True)(p)
    norm = jnp.sqrt(sum(jnp.sum(g * g) for g in jax.tree.leaves(gradient)))
    scale = config["clipNorm"] / jnp.maximum(norm, config["clipNorm"])
    gradient = jax.tree.map(lambda g: g * scale, gradient)
    count = count + 1
    scale1, scale2 = 1 - BETA1**count, 1 - BETA2**count
    first = jax.tree.map(lambda m, g: BETA1 * m + (1 - BETA1) * g, first, gradient)
    second = jax.tree.map(lambda v, g: BETA2 * v + (1 - BETA2) * g * g, second, gradient)

    def move(w, m, v):
        kept = w * (1 - RATE * config["weightDecay"]) if w.ndim >= 2 else w
        return kept - RATE * (m / scale1) / (jnp.sqrt(v / scale2) + EPSILON)

    return (jax.tree.map(move, p, first, second), extra, first, second, count), value


run = jax.jit(step, donate_argnums=0)
load = lambda name: {key: jnp.asarray(array) for key, array in read_safetensors(f"{folder}/{name}.safetensors").items()}
weights, batch = load("weights"), load("batch")
zeros = lambda: jax.tree.map(jnp.zeros_like, weights)
state = (weights, load("extra"), zeros(), zeros(), jnp.float32(0))


def one():
    global state
    state, value = run(state, batch)
    jax.block_until_ready(state)
    return float(value)


serve(jax.__version__, one)
