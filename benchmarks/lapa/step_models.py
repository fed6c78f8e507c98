"""The product's small models once more, for PyTorch and for JAX: losses of quantizer, latent VLA and fine-tuning.

Written over a handful of operations that each framework brings (`ops`), with the framework's own fused ones where it has
them. Weights are those of the TypeScript side, by the same names, so that the losses must agree step by step.
"""


def keypoint_stem(ops, p, name, images):
    """images [B, H, W, 3] -> points [B, P, 2] and features [B, P, C]"""
    entry = ops.relu(ops.conv(images, p, f"{name}.entry", 2))
    down = ops.relu(ops.conv(entry, p, f"{name}.down", 2))
    deep = ops.relu(ops.conv(ops.norm(down, p, f"{name}.norm"), p, f"{name}.deep", 1))
    b, h, w, c = deep.shape
    cells = deep.reshape(b, h * w, c)
    heat = ops.softmax(ops.swap(ops.linear(cells, p, f"{name}.heat")))
    return heat @ ops.grid(h, w), heat @ cells


def patchify(ops, images, size):
    b, h, w, c = images.shape
    cut = images.reshape(b, h // size, size, w // size, size * c)
    return ops.permute(cut, (0, 1, 3, 2, 4)).reshape(b, (h // size) * (w // size), size * size * c)


def attention(ops, p, name, x, context, heads, causal):
    b, n, d = x.shape

    def split(part, tokens):
        return ops.permute(ops.linear(tokens, p, f"{name}.{part}").reshape(b, tokens.shape[1], heads, d // heads), (0, 2, 1, 3))

    query, key, value = split("query", x), split("key", context), split("value", context)
    scores = query @ ops.swap(key) * (d // heads) ** -0.5
    if causal:
        scores = scores + ops.causal(n)
    mixed = ops.permute(ops.softmax(scores) @ value, (0, 2, 1, 3)).reshape(b, n, d)
    return ops.linear(mixed, p, f"{name}.output")


def block(ops, p, name, x, heads, causal=False, context=None):
    inner = ops.norm(x, p, f"{name}.self.norm")
    x = x + attention(ops, p, f"{name}.self.attention", inner, inner, heads, causal)
    if context is not None:
        x = x + attention(ops, p, f"{name}.cross.attention", ops.norm(x, p, f"{name}.cross.norm"), context, heads, False)
    inner = ops.gelu(ops.linear(ops.norm(x, p, f"{name}.norm"), p, f"{name}.mlp.up"))
    return x + ops.linear(inner, p, f"{name}.mlp.down")


def coloured(ops, pixels, colour):
    """One affine map of RGB per sample, clipped to [-1, 1]."""
    images = pixels / 127.5 - 1
    flat = images.reshape(images.shape[0], -1, 3)
    mapped = flat @ ops.swap(colour[:, :9].reshape(-1, 3, 3)) + colour[:, 9:].reshape(-1, 1, 3)
    return ops.clip(mapped, -1, 1).reshape(images.shape)


def backbone(ops, p, config, images, words, queries):
    model = config["model"]
    if model["stem"] == "keypoints":
        points, features = keypoint_stem(ops, p, "trunk.stem", images)
        tokens = ops.concat([points * 2, points * points, features], 2)
    else:
        tokens = patchify(ops, images, model["patchSize"])
    text = p["trunk.words"][words] + p["trunk.wordPosition"]
    seen = ops.linear(tokens, p, "trunk.enter") + p["trunk.imagePosition"]
    x = ops.concat([text, seen, ops.repeat(queries, images.shape[0])], 1)
    for index in range(model["depth"]):
        x = block(ops, p, f"trunk.blocks.{index}", x, model["heads"], causal=True)
    return ops.norm(x[:, text.shape[1] + seen.shape[1] :], p, "trunk.norm")


def latent_vla_loss(ops, p, extra, config, batch):
    images = coloured(ops, batch["images"], batch["colour"])
    vectors = backbone(ops, p, config, images, batch["words"], p["latent.queries"])
    logits = ops.linear(vectors, p, "latent.classify")
    return ops.cross_entropy(logits.reshape(-1, logits.shape[-1]), batch["codes"].reshape(-1), None, 0.0), extra


def finetune_loss(ops, p, extra, config, batch):
    images = coloured(ops, batch["images"], batch["colour"])
    vectors = backbone(ops, p, config, images, batch["words"], p["action.queries"])
    logits = ops.linear(vectors, p, "action.classify")
    flat = logits.reshape(-1, logits.shape[-1])
    smoothing = config["head"]["smoothing"]
    return ops.cross_entropy(flat, batch["bins"].reshape(-1), batch["mask"].reshape(-1), smoothing), extra


def quantizer_loss(ops, p, extra, config, batch):
    model = config["model"]
    assert model["stem"] == "keypoints" and model["quantization"] == "ema" and model["groundingDims"] == 0
    pairs = coloured(ops, batch["frames"], batch["colour"])
    b, _, h, w, c = pairs.shape
    first, second = pairs[:, 0], pairs[:, 1]
    points, _ = keypoint_stem(ops, p, "encoder.stem", pairs.reshape(2 * b, h, w, c))
    points = points.reshape(b, 2, points.shape[1], 2)
    move = (points[:, 1] - points[:, 0]) * 8

    def read(change):
        x = ops.linear(change, p, "encoder.enter") + p["encoder.identity"]
        for index in range(model["temporalDepth"]):
            x = block(ops, p, f"encoder.temporal.{index}", x, model["heads"])
        return ops.linear(ops.norm(x, p, "encoder.norm").reshape(b, -1), p, "encoder.toCodes")

    latents = read(move) - read(-move) if model["antisymmetric"] else read(move)
    flat = latents.reshape(-1, model["codeWidth"])
    fixed, vectors = ops.stop(flat), extra["vectors"]
    codes = ops.argmin((vectors * vectors).sum(1) - 2 * (fixed @ vectors.T), 1)
    quantized = vectors[codes]
    passed = (flat + ops.stop(quantized - flat)).reshape(b, model["codesPerStep"], model["codeWidth"])

    patches = patchify(ops, first, model["patchSize"])
    context = ops.linear(passed, p, "decoder.fromCodes") + p["decoder.codePosition"]
    x = ops.linear(patches, p, "decoder.stem.embed") + p["decoder.stem.position"]
    for index in range(model["decoderDepth"]):
        x = block(ops, p, f"decoder.blocks.{index}", x, model["heads"], context=context)
    change = ops.linear(ops.norm(x, p, "decoder.norm"), p, "decoder.toPixels")
    side, size = h // model["patchSize"], model["patchSize"]
    change = ops.permute(change.reshape(b, side, side, size, size * c), (0, 1, 3, 2, 4)).reshape(b, h, w, c)
    error, moving = (first + change - second) ** 2, (second - first) ** 2
    weight = 1 + model["motionWeight"] * ops.float(ops.amax(moving, -1) > 0.0036)[..., None]
    total = lambda value: value.sum((1, 2, 3))
    scale = total(moving * weight) + 10 if model["relative"] else total(weight) * 3
    loss = (total(error * weight) / scale).mean() + model["commitment"] * ((flat - ops.stop(quantized)) ** 2).mean()
    return loss, ops.stop_tree(update_codebook(ops, extra, fixed, codes, batch["reseed"], model))


def update_codebook(ops, extra, latents, codes, reseed, model):
    size, decay = model["codebookSize"], model["codebookDecay"]
    assigned = ops.one_hot(codes, size)
    counts = extra["counts"] * decay + assigned.sum(0) * (1 - decay)
    sums = extra["sums"] * decay + (assigned.T @ latents) * (1 - decay)
    total = counts.sum()
    dead = counts < total * (model["reseedBelow"] / size)
    fresh, share = latents[reseed], total / size
    live_counts = ops.where(dead, ops.ones_like(counts), counts)
    live_sums = ops.where(dead[:, None], fresh, sums)
    return {
        "vectors": live_sums / live_counts[:, None],
        "counts": ops.where(dead, ops.ones_like(counts) * share, counts),
        "sums": ops.where(dead[:, None], fresh * share, sums),
    }


losses = {"quantizer": quantizer_loss, "latent-vla": latent_vla_loss, "finetune": finetune_loss}


def read_safetensors(path):
    import json

    import numpy

    with open(path, "rb") as file:
        header = json.loads(file.read(int.from_bytes(file.read(8), "little")))
        body = file.read()
    dtypes = {"F32": numpy.float32, "I32": numpy.int32}

    def array(entry):
        start, count = entry["data_offsets"][0], int(numpy.prod(entry["shape"]))
        return numpy.frombuffer(body, dtypes[entry["dtype"]], offset=start, count=count).reshape(entry["shape"]).copy()

    return {name: array(entry) for name, entry in header.items() if name != "__metadata__"}


def serve(version, step):
    """Answers each line of stdin, a number of steps, with milliseconds and losses of these steps."""
    import json
    import sys
    import time

    print(json.dumps({"version": version}), flush=True)
    for line in sys.stdin:
        milliseconds, losses = [], []
        cpu = time.process_time()
        for _ in range(int(line)):
            start = time.perf_counter()
            losses.append(step())
            milliseconds.append((time.perf_counter() - start) * 1e3)
        print(json.dumps({"ms": milliseconds, "losses": losses, "cpuMs": (time.process_time() - cpu) * 1e3}), flush=True)
