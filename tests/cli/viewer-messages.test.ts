import { parse } from "@foxglove/rosmsg";
import { MessageWriter } from "@foxglove/rosmsg2-serialization";
import { describe, expect, it } from "@jest/globals";
import protobuf from "protobufjs";
import "protobufjs/ext/descriptor.js";
import { findDecoder, isPicture, isText, numbersOf, pictureOf } from "#cli/viewer-messages.ts";

const encode = (text: string) => new TextEncoder().encode(text);
const jointState = `std_msgs/Header header
string[] name
float64[] position
float64[] velocity
================================================================================
MSG: std_msgs/Header
builtin_interfaces/Time stamp
string frame_id
`;

describe("findDecoder", () => {
  it("reads ROS 2 messages by the definition in the file", () => {
    const schema = { name: "sensor_msgs/msg/JointState", encoding: "ros2msg", data: encode(jointState) };
    const decode = findDecoder({ topic: "/joint_states", messageEncoding: "cdr" }, schema)!;
    const bytes = new MessageWriter(parse(jointState, { ros2: true })).writeMessage({
      header: { stamp: { sec: 1, nanosec: 2 }, frame_id: "base" },
      name: ["waist", "elbow"],
      position: [0.5, -1],
      velocity: [],
    });
    expect(Object.fromEntries(numbersOf(decode(bytes)))).toEqual({ "waist position": 0.5, "elbow position": -1 });
  });

  it("reads Protobuf by the descriptors in the file", () => {
    const { root } = protobuf.parse(`syntax = "proto3"; package test;
      message Pose { double x = 1; int64 count = 2; repeated float data = 3; bytes picture = 4; }`);
    const data = root.toDescriptor("proto3").$type.encode(root.toDescriptor("proto3")).finish();
    const type = root.lookupType("test.Pose");
    const bytes = type.encode(type.create({ x: 1.5, count: 7, data: [1, 2], picture: Uint8Array.of(9) })).finish();
    const decode = findDecoder(
      { topic: "/pose", messageEncoding: "protobuf" },
      { name: "test.Pose", encoding: "protobuf", data },
    )!;
    const message = decode(bytes) as { picture: Uint8Array };
    expect([...message.picture]).toEqual([9]);
    expect(numbersOf(message).get("x")).toBe(1.5);
    expect(numbersOf(message).get("count")).toBe(7);
    expect(numbersOf(message).get("data[1]")).toBe(2);
  });

  it("reads JSON without any schema and knows no other encoding", () => {
    expect(findDecoder({ topic: "/a", messageEncoding: "json" }, undefined)!(encode('{"x":1}'))).toEqual({ x: 1 });
    expect(findDecoder({ topic: "/a", messageEncoding: "cdr" }, undefined)).toBeNull();
    expect(findDecoder({ topic: "/a", messageEncoding: "ros1" }, undefined)).toBeNull();
  });

  it("fails on a schema that does not follow its encoding", () => {
    const schema = { name: "a/msg/A", encoding: "protobuf", data: encode("?") };
    expect(() => findDecoder({ topic: "/a", messageEncoding: "protobuf" }, schema)).toThrow();
  });
});

describe("numbersOf", () => {
  it("names nested numbers by their place and leaves out when and where", () => {
    const message = {
      header: { stamp: { sec: 5 }, frame_id: "base" },
      pose: { position: { x: 1, y: 2n }, valid: true },
      label: "text",
      data: Float32Array.of(3, 4),
    };
    expect(Object.fromEntries(numbersOf(message))).toEqual({
      "pose.position.x": 1,
      "pose.position.y": 2,
      "pose.valid": 1,
      "data[0]": 3,
      "data[1]": 4,
    });
  });

  it("takes labelled values by their labels, a missing one as no number", () => {
    const scalars = [
      { label: "dx", value: 0.5 },
      { label: "dy", value: null },
    ];
    expect([...numbersOf({ timestamp: { sec: 1, nsec: 0 }, scalars })]).toEqual([
      ["dx", 0.5],
      ["dy", Number.NaN],
    ]);
  });

  it("leaves out long lists and stops at 64 channels", () => {
    expect(numbersOf({ ranges: new Float32Array(1080), x: 1 })).toEqual(new Map([["x", 1]]));
    const wide = Object.fromEntries(Array.from({ length: 100 }, (_, index) => [`n${index}`, index]));
    expect(numbersOf(wide).size).toBe(64);
    expect(numbersOf(3)).toEqual(new Map([["value", 3]]));
    expect(numbersOf("text").size).toBe(0);
  });
});

describe("schemas", () => {
  it.each([
    ["foxglove.CompressedImage", true],
    ["sensor_msgs/msg/CompressedImage", true],
    ["sensor_msgs/CompressedImage", true],
    ["sensor_msgs/msg/Image", false],
    ["foxglove.CompressedVideo", false],
  ])("%s is a picture: %p", (name, is) => {
    expect(isPicture(name)).toBe(is);
  });

  it("knows texts and the bytes of pictures in JSON and binary", () => {
    expect([isText("std_msgs/msg/String"), isText("std_msgs/msg/Bool")]).toEqual([true, false]);
    expect([...pictureOf({ data: "AQI=" })!]).toEqual([1, 2]);
    expect([...pictureOf({ data: Uint8Array.of(3) })!]).toEqual([3]);
    expect(pictureOf({})).toBeNull();
  });
});
