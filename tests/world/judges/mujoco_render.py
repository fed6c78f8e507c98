"""Draws MJCF scenes with MuJoCo's own renderer (OSMesa).

usage: python3 mujoco_render.py SCENES.json OUT
SCENES.json is a list of {"xml", "width", "height"}; OUT gets, scene after scene, depth f32[H, W] in metres and geom ids
i32[H, W] (-1: nothing), both from the camera called "judge".
"""

import json
import os
import sys

os.environ["MUJOCO_GL"] = "osmesa"
import mujoco  # noqa: E402
import numpy as np  # noqa: E402

with open(sys.argv[1]) as file:
    scenes = json.load(file)
with open(sys.argv[2], "wb") as out:
    for scene in scenes:
        model = mujoco.MjModel.from_xml_string(scene["xml"])
        data = mujoco.MjData(model)
        mujoco.mj_forward(model, data)
        renderer = mujoco.Renderer(model, scene["height"], scene["width"])
        renderer.enable_depth_rendering()
        renderer.update_scene(data, "judge")
        out.write(renderer.render().astype(np.float32).tobytes())
        renderer.disable_depth_rendering()
        renderer.enable_segmentation_rendering()
        renderer.update_scene(data, "judge")
        ids = renderer.render()
        geoms = np.where(ids[..., 1] == mujoco.mjtObj.mjOBJ_GEOM.value, ids[..., 0], -1)
        out.write(geoms.astype(np.int32).tobytes())
        renderer.close()
