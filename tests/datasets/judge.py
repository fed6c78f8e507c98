"""What Python's readers see, as JSON on stdout. Used by the slow tests; needs av, numpy, opencv, pyarrow, datasets."""
import glob
import json
import os
import sys

import av
import cv2
import numpy as np


def video_times(path):
    with av.open(path) as container:
        stream = container.streams.video[0]
        return [float(frame.pts * stream.time_base) for frame in container.decode(stream)]


def frames(path, size):
    """Times of all frames, and the first one: stored, and its middle square scaled by area averaging."""
    with av.open(path) as container:
        stream = container.streams.video[0]
        first = next(container.decode(stream))
        aspect = float(stream.sample_aspect_ratio or 1)
        picture = first.to_ndarray(format="rgb24")
    height, width, _ = picture.shape
    side = min(height, width * aspect)
    crop_width, crop_height = int(side / aspect), int(side)
    x, y = (width - crop_width) // 2, (height - crop_height) // 2
    crop = picture[y : y + crop_height, x : x + crop_width]
    small = cv2.resize(crop, (size, size), interpolation=cv2.INTER_AREA)
    return {"times": video_times(path), "shape": picture.shape, "stored": picture.flatten().tolist(), "small": small.flatten().tolist()}


def lerobot(root):
    """Opens a v2.1 set as LeRobot does and applies its own checks: synchronised times, running indices, statistics."""
    import datasets

    datasets.disable_progress_bars()
    info = json.load(open(os.path.join(root, "meta/info.json")))
    table = datasets.load_dataset("parquet", data_files=sorted(glob.glob(f"{root}/data/*/*.parquet")), split="train", cache_dir=os.path.join(root, "..", "hf"))
    table = table.with_format("numpy")
    episode_of, times = np.asarray(table["episode_index"]), np.asarray(table["timestamp"], np.float64)
    stats = [json.loads(line) for line in open(os.path.join(root, "meta/episodes_stats.jsonl"))]
    worst_time, worst_stat = 0.0, 0.0
    for episode in range(info["total_episodes"]):
        rows = episode_of == episode
        for key, feature in info["features"].items():
            if feature["dtype"] == "video":
                path = info["video_path"].format(episode_chunk=0, video_key=key, episode_index=episode)
                pts = np.asarray(video_times(os.path.join(root, path)))
                assert len(pts) == rows.sum(), (len(pts), rows.sum())
                worst_time = max(worst_time, float(np.abs(pts - times[rows]).max()))
            else:
                values = np.asarray(table[key])[rows].astype(np.float64).reshape(rows.sum(), -1)
                stored = stats[episode]["stats"][key]
                for name, value in (("mean", values.mean(0)), ("std", values.std(0)), ("min", values.min(0)), ("max", values.max(0))):
                    worst_stat = max(worst_stat, float(np.abs(value - np.asarray(stored[name], np.float64).reshape(-1)).max()))
    return {
        "rows": len(table),
        "columns": table.column_names,
        "indexRuns": bool((np.asarray(table["index"]) == np.arange(len(table))).all()),
        "worstVideoTimeS": worst_time,
        "worstStatistic": worst_stat,
        "action": np.asarray(table["action"]).astype(np.float64).tolist(),
    }


command, arguments = sys.argv[1], sys.argv[2:]
print(json.dumps(frames(arguments[0], int(arguments[1])) if command == "frames" else lerobot(arguments[0])))
