"""Drives the simulated arm with roslibpy (PyPI), a rosbridge client that is not ours. Prints what it saw as one line of JSON."""

import json
import sys
import threading

import roslibpy

host, port = "127.0.0.1", int(sys.argv[1])
client = roslibpy.Ros(host=host, port=port)
client.run(timeout=10)
seen = {"connected": client.is_connected}


def first(topic, kind, count=1):
    """The count-th message of a topic."""
    arrived = []
    ready = threading.Event()
    listener = roslibpy.Topic(client, topic, kind)

    def hear(message):
        arrived.append(message)
        if len(arrived) >= count:
            ready.set()

    listener.subscribe(hear)
    assert ready.wait(10), f"nothing on {topic}"
    listener.unsubscribe()
    return arrived[-1]


def call(name, kind):
    return dict(roslibpy.Service(client, name, kind).call(roslibpy.ServiceRequest(), timeout=10))


state = first("/joint_states", "sensor_msgs/msg/JointState")
seen["names"] = state["name"]
seen["instruction"] = first("/task/instruction", "std_msgs/msg/String")["data"]
picture = first("/camera/front/compressed", "sensor_msgs/msg/CompressedImage")
seen["picture"] = {"format": picture["format"], "start": picture["data"][:12]}
now = call("/rosapi/get_time", "rosapi_msgs/srv/GetTime")["time"]
seen["time"] = now["sec"]
seen["topics"] = sorted(call("/rosapi/topics", "rosapi_msgs/srv/Topics")["topics"])

command = roslibpy.Topic(client, "/arm_controller/joint_trajectory", "trajectory_msgs/msg/JointTrajectory")
command.advertise()
target = list(state["position"])
target[0] += 0.1


def trajectory(stamp, positions, seconds):
    point = {"positions": positions, "time_from_start": {"sec": 0, "nanosec": int(seconds * 1e9)}}
    return {"header": {"stamp": stamp, "frame_id": ""}, "joint_names": state["name"], "points": [point]}


old = {"sec": now["sec"] - 5, "nanosec": 0}
command.publish(roslibpy.Message(trajectory(old, [value + 1 for value in target], 0.1)))
command.publish(roslibpy.Message(trajectory({"sec": 0, "nanosec": 0}, target, 0.2)))
moved = first("/joint_states", "sensor_msgs/msg/JointState", count=40)
seen["movedRad"] = moved["position"][0] - state["position"][0]

estop = roslibpy.Topic(client, "/estop", "std_msgs/msg/Bool", latch=True)
estop.advertise()
estop.publish(roslibpy.Message({"data": True}))
seen["status"] = call("/sim/status", "std_srvs/srv/Trigger")
seen["reset"] = call("/sim/reset", "std_srvs/srv/Trigger")
client.terminate()
print(json.dumps(seen))
