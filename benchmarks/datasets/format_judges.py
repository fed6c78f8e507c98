"""What third-party readers see in a set that we wrote, as JSON on the last line: rows, and the sum of all actions.

Arguments: format, path. Needs for lerobot: lerobot (0.3 for v2.1, 0.4 for v3.0); for rlds: tfrecord; for robomimic:
h5py; for mcap: mcap. None of them is ours, and none needs TensorFlow.
"""
import glob
import importlib.metadata
import importlib.util
import json
import os
import sys

os.environ["HF_HUB_OFFLINE"] = os.environ["HF_DATASETS_OFFLINE"] = "1"
kind, path = sys.argv[1:3]


def lerobot():
    from lerobot.datasets.lerobot_dataset import LeRobotDataset

    # Its other backend needs a part of torchvision that newer versions lack.
    backend = "torchcodec" if importlib.util.find_spec("torchcodec") else "pyav"
    dataset = LeRobotDataset("local/set", root=path, video_backend=backend)
    rows = [dataset[index] for index in range(len(dataset))]
    camera = dataset.meta.camera_keys[0]
    return len(rows), sum(float(row["action"].sum()) for row in rows), sum(float(row[camera].mean()) for row in rows)


def rlds():
    import numpy as np
    from PIL import Image
    from io import BytesIO
    from tfrecord.reader import tfrecord_loader

    rows, total, grey = 0, 0.0, 0.0
    for shard in sorted(glob.glob(f"{path}/*.tfrecord-*")):
        for record in tfrecord_loader(shard, None):
            length = len(np.atleast_1d(record["steps/is_first"]))
            rows += length
            total += float(np.sum(record["steps/action"]))
            grey += sum(float(np.asarray(Image.open(BytesIO(bytes(image)))).mean()) / 255 for image in record["steps/observation/front"])
    return rows, total, grey


def robomimic():
    import h5py

    with h5py.File(path) as file:
        demos = list(file["data"].values())
        grey = sum(float(demo["obs/front"][:].mean(axis=(1, 2, 3)).sum()) / 255 for demo in demos)
        return sum(len(demo["actions"]) for demo in demos), sum(float(demo["actions"][:].sum()) for demo in demos), grey


def mcap():
    import base64
    from io import BytesIO

    import numpy as np
    from mcap.reader import make_reader
    from PIL import Image

    rows, total, grey = 0, 0.0, 0.0
    for name in sorted(glob.glob(f"{path}/*.mcap")):
        with open(name, "rb") as stream:
            for _, channel, message in make_reader(stream, validate_crcs=True).iter_messages():
                if channel.topic == "/action":
                    rows += 1
                    total += sum(scalar["value"] for scalar in json.loads(message.data)["scalars"])
                elif channel.topic == "/observation/images/front":
                    picture = Image.open(BytesIO(base64.b64decode(json.loads(message.data)["data"])))
                    grey += float(np.asarray(picture).mean()) / 255
    return rows, total, grey


readers = {"lerobot": lerobot, "rlds": rlds, "robomimic": robomimic, "mcap": mcap}
package = {"lerobot": "lerobot", "rlds": "tfrecord", "robomimic": "h5py", "mcap": "mcap"}[kind.split("-")[0]]
rows, actions, grey = readers[kind.split("-")[0]]()
print(json.dumps({"reader": f"{package} {importlib.metadata.version(package)}", "rows": rows, "actions": actions, "grey": grey}))
