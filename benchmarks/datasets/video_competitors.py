"""Frames per second of Python's video readers on the same files: file to u8[H, W, 3] in this process.

Arguments: reader, mode (sequential | parallel | clips), size. Standard input: {"paths": [...], "clips": [[path number, first
frame], ...], "clipFrames": 16}. Pictures are squeezed to size x size. Prints {"frames", "seconds", "version",
"picture": frame 30 of the first path}.
"""
import importlib
import json
import sys
import time

import numpy as np

reader, mode, size = sys.argv[1], sys.argv[2], int(sys.argv[3])
# Side by side, every process has one core; alone, a reader uses the threads that it thinks best.
threads = 1 if mode == "parallel" else 0
job = json.load(sys.stdin)
length = job["clipFrames"]


class PyAv:
    module = "av"

    def __init__(self, path):
        self.container = av.open(path)
        self.stream = self.container.streams.video[0]
        self.stream.thread_type = "AUTO"
        self.stream.codec_context.thread_count = threads

    def frames(self):
        for frame in self.container.decode(self.stream):
            yield frame.reformat(width=size, height=size, format="rgb24", interpolation="AREA").to_ndarray()

    def clip(self, first):
        rate = float(self.stream.average_rate)
        start = self.stream.start_time or 0
        self.container.seek(start + int(first / rate / self.stream.time_base), stream=self.stream)
        out = []
        for frame in self.container.decode(self.stream):
            if float((frame.pts - start) * self.stream.time_base) * rate < first - 0.5:
                continue
            out.append(frame.reformat(width=size, height=size, format="rgb24", interpolation="AREA").to_ndarray())
            if len(out) == length:
                break
        return np.stack(out)


class OpenCv:
    module = "cv2"

    def __init__(self, path):
        self.capture = cv2.VideoCapture(path, cv2.CAP_FFMPEG, [cv2.CAP_PROP_N_THREADS, threads] if threads else [])

    def frames(self):
        while True:
            ok, frame = self.capture.read()
            if not ok:
                return
            yield cv2.cvtColor(cv2.resize(frame, (size, size), interpolation=cv2.INTER_AREA), cv2.COLOR_BGR2RGB)

    def clip(self, first):
        self.capture.set(cv2.CAP_PROP_POS_FRAMES, first)
        frames = self.frames()
        return np.stack([next(frames) for _ in range(length)])


class Decord:
    module = "decord"

    def __init__(self, path):
        self.reader = decord.VideoReader(path, width=size, height=size, num_threads=threads)

    def frames(self):
        for frame in self.reader:
            yield frame.asnumpy()

    def clip(self, first):
        return self.reader.get_batch(range(first, first + length)).asnumpy()


class TorchCodec:
    module = "torchcodec"

    def __init__(self, path):
        from torchcodec.decoders import VideoDecoder
        from torchcodec.transforms import Resize

        self.decoder = VideoDecoder(
            path, num_ffmpeg_threads=threads, transforms=[Resize((size, size))], dimension_order="NHWC"
        )

    def frames(self):
        for frame in self.decoder:
            yield frame.numpy()

    def clip(self, first):
        return self.decoder.get_frames_in_range(first, first + length).data.numpy()


Reader = {"pyav": PyAv, "opencv": OpenCv, "decord": Decord, "torchcodec": TorchCodec}[reader]
globals()[Reader.module] = importlib.import_module(Reader.module)

# Imports and first calls are not what is measured.
for number, picture in enumerate(Reader(job["paths"][0]).frames()):
    if number == 30:
        break


def read_all(paths):
    frames = 0
    for path in paths:
        for frame in Reader(path).frames():
            frames += frame.shape[0] == size
    return frames


def read_clips():
    # As a data loader would: every file is opened once and stays open.
    opened = {}
    frames = 0
    for path, first in job["clips"]:
        if path not in opened:
            opened[path] = Reader(job["paths"][path])
        frames += len(opened[path].clip(first))
    return frames


begin = time.perf_counter()
frames = read_clips() if mode == "clips" else read_all(job["paths"])
seconds = time.perf_counter() - begin
version = getattr(globals()[Reader.module], "__version__", "")
print(json.dumps({"frames": frames, "seconds": seconds, "version": version, "picture": picture.reshape(-1).tolist()}))
