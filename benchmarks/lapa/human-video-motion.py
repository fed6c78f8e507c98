"""Measures what a video shows without any learning: where the ArUco cubes on the wrists are, and how the camera moved.

    python human-video-motion.py OUT_FOLDER VIDEO...     (pip install opencv-contrib-python-headless)

Writes OUT_FOLDER/<video>.json for every video that has none yet:
    size     [width, height], pixels
    timesS   per frame its presentation time, seconds
    right, left   per frame [x, y] of the cube's centre in the picture, pixels, or null where no side of it is seen
    side     per frame the mean side of the seen markers, pixels, or null
    camera   per frame the 3 x 3 homography, row by row, that carries a background point of this frame to the frame before
    spread   distances between the centres that two sides of one cube, seen at once, speak of, pixels: the measuring error
"""
import json
import os
import sys

import cv2
import numpy as np

cv2.setNumThreads(1)
dictionary = cv2.aruco.getPredefinedDictionary(cv2.aruco.DICT_6X6_100)
cubes = {"right": {0, 2, 3, 4, 5}, "left": {31, 44, 46, 47}}
# Lengths in marker sides; the cube is a third wider than its markers.
corners = np.array([[-0.5, 0.5, 0], [0.5, 0.5, 0], [0.5, -0.5, 0], [-0.5, -0.5, 0]], np.float32)
centre_behind = np.array([[0, 0, -0.65]], np.float32)
identity = np.eye(3)
# Camera motion is looked for at half the size.
double = np.diag([2.0, 2.0, 1.0])


def cube_centre(marker, camera):
    """Centre of the cube that carries a marker f32[4, 2], in pixels."""
    found, turn, shift = cv2.solvePnP(corners, marker, camera, None, flags=cv2.SOLVEPNP_IPPE_SQUARE)
    if not found:
        return marker.mean(0)
    return cv2.projectPoints(centre_behind, turn, shift, camera, None)[0].reshape(2)


def wrists(detector, grey, camera, spread):
    found, ids, _ = detector.detectMarkers(grey)
    seen = {"right": [], "left": []}
    sides = []
    for marker, number in zip(found, [] if ids is None else ids.ravel()):
        marker = marker.reshape(4, 2)
        for name, numbers in cubes.items():
            if int(number) in numbers:
                area = cv2.contourArea(marker)
                seen[name].append((cube_centre(marker, camera), area))
                sides.append(area**0.5)
    places = {}
    for name, sightings in seen.items():
        weights = np.array([area for _, area in sightings])
        centres = np.array([centre for centre, _ in sightings])
        places[name] = None if len(sightings) == 0 else (weights[:, None] * centres).sum(0) / weights.sum()
        if len(sightings) > 1:
            spread.append(float(np.linalg.norm(centres[0] - centres[1])))
    return places, (float(np.mean(sides)) if sides else None)


def camera_motion(before, now):
    """Homography from `now` to `before`, two halved pictures, of most points; the identity where it cannot be found."""
    points = cv2.goodFeaturesToTrack(now, 200, 0.01, 8)
    if points is None or len(points) < 12:
        return identity
    moved, status, _ = cv2.calcOpticalFlowPyrLK(now, before, points, None, winSize=(15, 15), maxLevel=3)
    good = status.ravel() == 1
    if good.sum() < 12:
        return identity
    found, inliers = cv2.findHomography(points[good], moved[good], cv2.RANSAC, 0.7)
    # Points on hand and arm must not be taken for the room.
    return identity if found is None or inliers.mean() < 0.3 else double @ found @ np.linalg.inv(double)


def measure(path):
    video = cv2.VideoCapture(path)
    width, height = int(video.get(cv2.CAP_PROP_FRAME_WIDTH)), int(video.get(cv2.CAP_PROP_FRAME_HEIGHT))
    # The focal length is not known; only the short way from a side to the cube's centre leans on it.
    camera = np.array([[0.75 * width, 0, width / 2], [0, 0.75 * width, height / 2], [0, 0, 1]])
    detector = cv2.aruco.ArucoDetector(dictionary)
    result = {"size": [width, height], "timesS": [], "right": [], "left": [], "side": [], "camera": [], "spread": []}
    before = None
    while True:
        found, frame = video.read()
        if not found:
            return result
        result["timesS"].append(round(video.get(cv2.CAP_PROP_POS_MSEC) / 1000, 4))
        grey = cv2.cvtColor(frame, cv2.COLOR_BGR2GRAY)
        places, side = wrists(detector, grey, camera, result["spread"])
        for name, place in places.items():
            result[name].append(None if place is None else [round(float(value), 2) for value in place])
        result["side"].append(side and round(side, 2))
        half = cv2.resize(grey, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
        found = identity if before is None else camera_motion(before, half)
        result["camera"].append([round(float(value), 8) for value in (found / found[2, 2]).ravel()])
        before = half


out, *paths = sys.argv[1:]
os.makedirs(out, exist_ok=True)
for path in paths:
    target = os.path.join(out, f"{os.path.splitext(os.path.basename(path))[0]}.json")
    if os.path.exists(target):
        continue
    measured = measure(path)
    with open(f"{target}.part", "w") as file:
        json.dump(measured, file)
    os.replace(f"{target}.part", target)
    print(path, flush=True)
