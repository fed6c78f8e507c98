"""MuJoCo's Python package on the same model: physics steps and OSMesa frames.

usage: python3 native_mujoco.py physics|render JOB.json
JOB.json: {"xml", "qpos", "ctrl", "mocapPosition", "mocapQuaternion", "seconds", "size"}; prints one JSON line.
"""

import json
import os
import sys
import time

os.environ["MUJOCO_GL"] = "osmesa"
import mujoco  # noqa: E402

mode, path = sys.argv[1:]
with open(path) as file:
    job = json.load(file)
model = mujoco.MjModel.from_xml_string(job["xml"])
data = mujoco.MjData(model)
data.qpos[:] = job["qpos"]
data.mocap_pos[0] = job["mocapPosition"]
data.mocap_quat[0] = job["mocapQuaternion"]
rows = job["ctrl"]


def measure(once, batch):
    for index in range(20):
        once(index)
    start, cpu, count = time.perf_counter(), time.process_time(), 0
    while time.perf_counter() - start < job["seconds"]:
        once(count)
        count += 1
    seconds, cpu = time.perf_counter() - start, time.process_time() - cpu
    print(json.dumps({"count": count * batch, "seconds": seconds, "processorSeconds": cpu, "version": mujoco.__version__}))


def step(index):
    data.ctrl[:] = rows[index % len(rows)]
    mujoco.mj_step(model, data, nstep=20)


if mode == "physics":
    measure(step, 20)
else:
    renderer = mujoco.Renderer(model, job["size"], job["size"])
    mujoco.mj_forward(model, data)

    def render(_):
        renderer.update_scene(data, "front")
        renderer.render()

    measure(render, 1)
