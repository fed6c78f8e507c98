"""
Opens a set with LeRobot's own LeRobotDataset (0.3.3 for v2.1, 0.4 for v3.0) and prints what it sees as JSON. Decodes with
torchcodec where it finds ffmpeg's libraries, else with torchvision over PyAV (before torchvision 0.26).
"""
import json
import os
import sys

os.environ["HF_HUB_OFFLINE"] = "1"
os.environ["HF_DATASETS_OFFLINE"] = "1"
from lerobot.datasets.lerobot_dataset import LeRobotDataset  # noqa: E402

try:
    import torchcodec  # noqa: F401

    backend = "torchcodec"
except (ImportError, RuntimeError):
    backend = "pyav"

camera = "observation.images.front"
offsets = {"action": [0, 0.1], camera: [-0.1, 0.0]}
dataset = LeRobotDataset("local/set", root=sys.argv[1], video_backend=backend, delta_timestamps=offsets)
rows = []
for index in range(len(dataset)):
    row = dataset[index]
    rows.append(
        {
            "task": row["task"],
            "timestamp": float(row["timestamp"]),
            "action": row["action"].flatten().tolist(),
            "grey": [float(frame.mean()) * 255 for frame in row[camera]],
        }
    )
print(json.dumps({"episodes": dataset.num_episodes, "version": dataset.meta.info["codebase_version"], "rows": rows}))
