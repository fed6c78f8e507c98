"""PyTorch's side of the train-step benchmark.

Reads weights and batch as the TypeScript side wrote them (safetensors), then answers each line of stdin, a number of
steps, with one line of JSON: milliseconds and losses of these steps, and the processor time they took.

Usage: python3 torch_vision.py FOLDER THREADS
"""

import json
import sys
import time

import numpy
import torch
import torch.nn.functional as F

folder, threads = sys.argv[1], int(sys.argv[2])
torch.set_num_threads(threads)


def read_safetensors(path):
    with open(path, "rb") as file:
        header = json.loads(file.read(int.from_bytes(file.read(8), "little")))
        body = file.read()
    dtypes = {"F32": numpy.float32, "I32": numpy.int32}
    return {
        name: torch.from_numpy(
            numpy.frombuffer(body, dtypes[entry["dtype"]], offset=entry["data_offsets"][0], count=int(numpy.prod(entry["shape"])))
            .reshape(entry["shape"])
            .copy()
        )
        for name, entry in header.items()
        if name != "__metadata__"
    }


size = json.load(open(f"{folder}/size.json"))
batch = read_safetensors(f"{folder}/batch.safetensors")
weights = {name: array.requires_grad_(True) for name, array in read_safetensors(f"{folder}/weights.safetensors").items()}
patches, labels = batch["patches"], batch["labels"].long()
B, N, D, G = size["batch"], size["tokens"], size["width"], size["heads"]


def linear(x, name):
    bias = weights.get(f"{name}.bias")
    product = x @ weights[f"{name}.weight"]
    return product if bias is None else product + bias


def flat_linear(x, name):
    bias = weights.get(f"{name}.bias")
    rows = x.reshape(-1, x.shape[-1])
    weight = weights[f"{name}.weight"]
    product = rows @ weight if bias is None else torch.addmm(bias, rows, weight)
    return product.reshape(*x.shape[:-1], -1)


def norm(x, name):
    return F.layer_norm(x, (D,), weights[f"{name}.weight"], weights[f"{name}.bias"], 1e-5)


def heads(x, name):
    return flat_linear(x, name).reshape(B, N, G, D // G).permute(0, 2, 1, 3)


def attention(x, name):
    query, key, value = (heads(x, f"{name}.{part}") for part in ("query", "key", "value"))
    seen = torch.softmax(query @ key.transpose(-1, -2) * (D // G) ** -0.5, -1) @ value
    return flat_linear(seen.permute(0, 2, 1, 3).reshape(B, N, D), f"{name}.output")


def loss():
    x = flat_linear(patches, "embed") + weights["position"]
    for index in range(size["depth"]):
        name = f"blocks.{index}"
        x = x + attention(norm(x, f"{name}.self.norm"), f"{name}.self.attention")
        inner = flat_linear(norm(x, f"{name}.norm"), f"{name}.mlp.up")
        x = x + flat_linear(F.gelu(inner), f"{name}.mlp.down")
    return F.cross_entropy(linear(norm(x, "norm").mean(1), "head"), labels)


matrices = [weight for weight in weights.values() if weight.dim() >= 2]
vectors = [weight for weight in weights.values() if weight.dim() < 2]
groups = [{"params": matrices, "weight_decay": 0.01}, {"params": vectors, "weight_decay": 0.0}]
optimizer = torch.optim.AdamW(groups, lr=1e-3, foreach=True)


def step():
    optimizer.zero_grad(set_to_none=True)
    value = loss()
    value.backward()
    optimizer.step()
    return value.item()


print(json.dumps({"version": torch.__version__}), flush=True)
for line in sys.stdin:
    milliseconds, losses = [], []
    cpu = time.process_time()
    for _ in range(int(line)):
        start = time.perf_counter()
        losses.append(step())
        milliseconds.append((time.perf_counter() - start) * 1e3)
    print(json.dumps({"ms": milliseconds, "losses": losses, "cpuMs": (time.process_time() - cpu) * 1e3}), flush=True)
