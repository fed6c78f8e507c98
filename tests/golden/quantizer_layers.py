"""Numbers of the published quantizer's layers, computed by PyTorch's own operations.

python tests/golden/quantizer_layers.py > tests/golden/quantizer_layers.json   (torch 2.x, CPU)

Written from the paper (Ye et al. 2024, appendix A) and its sources: cosine attention with null keys, a depthwise 3-D position
convolution that is causal in time (Chu et al. 2021), continuous position bias (Liu et al. 2022) and GEGLU (Shazeer 2020).
Weights are as PyTorch lays them out; the test turns them.
"""

import json

import torch
from torch import nn
from torch.nn import functional as F

torch.manual_seed(0)
D, G, N, B, M = 8, 2, 4, 2, 3


def numbers(x):
    return {"shape": list(x.shape), "data": [round(v, 7) for v in x.detach().double().flatten().tolist()]}


def gain_norm(x, gain):
    return F.layer_norm(x, (x.shape[-1],), gain)


def attention(x, weights, bias=None, context=None, nulls=None, causal=False):
    batch, tokens, width = x.shape
    q = F.linear(gain_norm(x, weights["norm"]), weights["query"])
    source = x if context is None else gain_norm(context, weights["contextNorm"])
    k, v = F.linear(source, weights["keyValue"]).chunk(2, dim=-1)
    q, k, v = (t.unflatten(-1, (G, width // G)).transpose(1, 2) for t in (q, k, v))
    if nulls is not None:
        # [G, 2 n, d]: key and value by turns
        nk, nv = nulls.unflatten(1, (-1, 2)).unbind(dim=2)
        k = torch.cat((nk.expand(batch, -1, -1, -1), k), dim=2)
        v = torch.cat((nv.expand(batch, -1, -1, -1), v), dim=2)
    q = F.normalize(q, dim=-1) * weights["queryScale"]
    k = F.normalize(k, dim=-1) * weights["keyScale"]
    scores = q @ k.transpose(-1, -2) * 8
    count = 0 if nulls is None else nulls.shape[1] // 2
    if bias is not None:
        scores = scores + F.pad(bias, (count, 0))
    if causal:
        hidden = torch.ones(tokens, tokens, dtype=torch.bool).triu(1)
        scores = scores.masked_fill(F.pad(hidden, (count, 0), value=False), float("-inf"))
    mixed = scores.softmax(dim=-1) @ v
    return F.linear(mixed.transpose(1, 2).flatten(2), weights["output"])


def attention_case():
    weights = {
        "norm": torch.rand(D) + 0.5,
        "contextNorm": torch.rand(D) + 0.5,
        "query": torch.randn(D, D),
        "keyValue": torch.randn(2 * D, D),
        "queryScale": torch.rand(D // G) + 0.5,
        "keyScale": torch.rand(D // G) + 0.5,
        "output": torch.randn(D, D),
    }
    nulls = torch.randn(G, 4, D // G)
    x, context, bias = torch.randn(B, N, D), torch.randn(B, M, D), torch.randn(G, N, N)
    return {
        "weights": {name: numbers(value) for name, value in weights.items()},
        **{name: numbers(value) for name, value in {"nulls": nulls, "x": x, "context": context, "bias": bias}.items()},
        "self": numbers(attention(x, weights, bias=bias)),
        "causal": numbers(attention(x, weights, causal=True)),
        "cross": numbers(attention(x, weights, context=context, nulls=nulls)),
    }


def peg_case():
    convolution = nn.Conv3d(D, D, 3, groups=D)
    x = torch.randn(B, 2, 3, 3, D)  # [B, T, h, w, D]
    padded = F.pad(x.movedim(-1, 1), (1, 1, 1, 1, 2, 0))  # causal: two frames before, none after
    y = convolution(padded).movedim(1, -1)
    return {"weight": numbers(convolution.weight), "bias": numbers(convolution.bias), "x": numbers(x), "y": numbers(y)}


def position_bias_case(side=3):
    layers = [nn.Linear(2, 6), nn.Linear(6, 6), nn.Linear(6, G)]
    rows, columns = torch.meshgrid(torch.arange(side), torch.arange(side), indexing="ij")
    places = torch.stack((rows.flatten(), columns.flatten()), dim=-1).float()
    delta = places[:, None] - places[None]
    x = torch.sign(delta) * torch.log(delta.abs() + 1)
    for layer in layers[:-1]:
        x = F.leaky_relu(layer(x), 0.1)
    bias = layers[-1](x).permute(2, 0, 1)
    return {
        "weights": [{"weight": numbers(layer.weight), "bias": numbers(layer.bias)} for layer in layers],
        "bias": numbers(bias),
    }


def geglu_case():
    inner = int(4 * 2 / 3 * D)
    norm, enter, leave = nn.LayerNorm(D), nn.Linear(D, 2 * inner, bias=False), nn.Linear(inner, D, bias=False)
    nn.init.uniform_(norm.weight, 0.5, 1.5)
    nn.init.uniform_(norm.bias, -0.5, 0.5)
    x = torch.randn(B, N, D)
    value, gate = enter(norm(x)).chunk(2, dim=-1)
    return {
        "normWeight": numbers(norm.weight),
        "normBias": numbers(norm.bias),
        "enter": numbers(enter.weight),
        "leave": numbers(leave.weight),
        "x": numbers(x),
        "y": numbers(leave(F.gelu(gate) * value)),
    }


print(
    json.dumps(
        {
            "torch": torch.__version__,
            "attention": attention_case(),
            "peg": peg_case(),
            "positionBias": position_bias_case(),
            "geglu": geglu_case(),
        }
    )
)
