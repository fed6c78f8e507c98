"""PyTorch's side of the LAPA step benchmark. Usage: python3 step_torch.py FOLDER THREADS"""

import json
import math
import sys

import torch
import torch.nn.functional as F

from step_models import losses, read_safetensors, serve

folder, threads = sys.argv[1], int(sys.argv[2])
torch.set_num_threads(threads)


class Ops:
    relu, softmax = staticmethod(torch.relu), staticmethod(lambda x: torch.softmax(x, -1))
    gelu, where, ones_like = staticmethod(F.gelu), staticmethod(torch.where), staticmethod(torch.ones_like)
    concat, permute = staticmethod(torch.cat), staticmethod(lambda x, axes: x.permute(axes))
    clip, argmin = staticmethod(torch.clamp), staticmethod(torch.argmin)
    stop, float = staticmethod(lambda x: x.detach()), staticmethod(lambda x: x.float())
    amax, swap = staticmethod(torch.amax), staticmethod(lambda x: x.transpose(-1, -2))

    @staticmethod
    def stop_tree(tree):
        return {name: value.detach() for name, value in tree.items()}

    @staticmethod
    def one_hot(codes, size):
        return F.one_hot(codes, size).float()

    @staticmethod
    def repeat(queries, batch):
        return queries[None].expand(batch, -1, -1)

    @staticmethod
    def linear(x, p, name):
        rows, weight, bias = x.reshape(-1, x.shape[-1]), p[f"{name}.weight"], p.get(f"{name}.bias")
        product = rows @ weight if bias is None else torch.addmm(bias, rows, weight)
        return product.reshape(*x.shape[:-1], -1)

    @staticmethod
    def norm(x, p, name):
        return F.layer_norm(x, x.shape[-1:], p[f"{name}.weight"], p[f"{name}.bias"], 1e-5)

    @staticmethod
    def conv(x, p, name, stride):
        weight = p[f"{name}.weight"]  # [O, I, h, w]
        size, side = weight.shape[-1], x.shape[1]
        pad = max((math.ceil(side / stride) - 1) * stride + size - side, 0)
        ends = (pad // 2, pad - pad // 2)
        picture = F.pad(x.permute(0, 3, 1, 2), ends * 2)
        return F.conv2d(picture, weight, p[f"{name}.bias"], stride).permute(0, 2, 3, 1)

    @staticmethod
    def grid(height, width):
        y, x = torch.meshgrid(torch.arange(height), torch.arange(width), indexing="ij")
        return torch.stack([(2 * x + 1) / width - 1, (2 * y + 1) / height - 1], -1).reshape(-1, 2)

    @staticmethod
    def causal(tokens):
        return torch.full((tokens, tokens), -1e9).triu(1)

    @staticmethod
    def cross_entropy(logits, labels, mask, smoothing):
        rows = F.cross_entropy(logits, labels, reduction="none", label_smoothing=smoothing)
        return rows.mean() if mask is None else (rows * mask).sum() / mask.sum()


config = json.load(open(f"{folder}/config.json"))
loss_of = losses[config["kind"]]


def tensor(name, array):
    value = torch.from_numpy(array)
    # Filters come as [h, w, I, O].
    return value.permute(3, 2, 0, 1).contiguous() if value.dim() == 4 and name.endswith(".weight") else value


weights = {name: tensor(name, array).requires_grad_(True) for name, array in read_safetensors(f"{folder}/weights.safetensors").items()}
extra = {name: torch.from_numpy(array) for name, array in read_safetensors(f"{folder}/extra.safetensors").items()}
batch = {
    name: torch.from_numpy(array).long() if array.dtype == "int32" else torch.from_numpy(array)
    for name, array in read_safetensors(f"{folder}/batch.safetensors").items()
}
matrices = [weight for weight in weights.values() if weight.dim() >= 2]
vectors = [weight for weight in weights.values() if weight.dim() < 2]
groups = [{"params": matrices, "weight_decay": config["weightDecay"]}, {"params": vectors, "weight_decay": 0.0}]
optimizer = torch.optim.AdamW(groups, lr=1e-3, foreach=True)


def step():
    global extra
    optimizer.zero_grad(set_to_none=True)
    loss, extra = loss_of(Ops, weights, extra, config, batch)
    loss.backward()
    torch.nn.utils.clip_grad_norm_(weights.values(), config["clipNorm"])
    optimizer.step()
    return loss.item()


serve(torch.__version__, step)
