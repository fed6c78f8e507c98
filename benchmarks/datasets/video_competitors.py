"""Frames per second of Python's video readers on the same files: file to u8[H, W, 3] squares in this process."""
import json
import sys
import time

reader, mode, size, *paths = sys.argv[1:]
size = int(size)


def scaled_av(path):
    import av

    with av.open(path) as container:
        stream = container.streams.video[0]
        stream.thread_type = "AUTO"
        for frame in container.decode(stream):
            side = min(frame.width, frame.height)
            yield frame.reformat(width=size, height=size, format="rgb24").to_ndarray() if side else None


def scaled_cv2(path):
    import cv2

    capture = cv2.VideoCapture(path)
    while True:
        ok, frame = capture.read()
        if not ok:
            return
        height, width, _ = frame.shape
        side = min(height, width)
        y, x = (height - side) // 2, (width - side) // 2
        yield cv2.cvtColor(cv2.resize(frame[y : y + side, x : x + side], (size, size), interpolation=cv2.INTER_AREA), cv2.COLOR_BGR2RGB)


def scaled_decord(path):
    import decord

    for frame in decord.VideoReader(path, width=size, height=size):
        yield frame.asnumpy()


def clip_decord(path, start):
    import decord

    return decord.VideoReader(path, width=size, height=size).get_batch(range(start, start + 16)).asnumpy()


def clip_av(path, start):
    import av

    frames = []
    with av.open(path) as container:
        stream = container.streams.video[0]
        rate = float(stream.average_rate)
        container.seek(int(start / rate / stream.time_base), stream=stream)
        for frame in container.decode(stream):
            if float(frame.pts * stream.time_base) * rate < start - 0.5:
                continue
            frames.append(frame.reformat(width=size, height=size, format="rgb24").to_ndarray())
            if len(frames) == 16:
                return frames


def clip_cv2(path, start):
    import cv2

    capture = cv2.VideoCapture(path)
    capture.set(cv2.CAP_PROP_POS_FRAMES, start)
    return [cv2.resize(capture.read()[1], (size, size), interpolation=cv2.INTER_AREA) for _ in range(16)]


sequential = {"pyav": scaled_av, "opencv": scaled_cv2, "decord": scaled_decord}[reader]
random_clip = {"pyav": clip_av, "opencv": clip_cv2, "decord": clip_decord}[reader]
# Imports are not what is measured.
next(iter(sequential(paths[0])))
begin = time.perf_counter()
if mode == "sequential":
    frames = sum(1 for path in paths for _ in sequential(path))
else:
    frames = 0
    for number in range(40):
        random_clip(paths[number % len(paths)], (number * 7919) % 60)
        frames += 16
print(json.dumps({"frames": frames, "seconds": time.perf_counter() - begin}))
