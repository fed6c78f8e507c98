import { describe, expect, it } from "@jest/globals";
import fc from "fast-check";
import { FormatError } from "#core/errors.ts";
import { decodeOperation, encodeOperation, fullName, type Operation } from "#robot-bridge/protocol/operations.ts";

const operations: Operation[] = [
  { op: "advertise", id: "a", topic: "/estop", type: "std_msgs/msg/Bool", latch: true, queue_size: 1 },
  { op: "unadvertise", topic: "/estop" },
  { op: "publish", topic: "/estop", msg: { data: true } },
  { op: "subscribe", id: "s", topic: "chatter", type: "std_msgs/String", throttle_rate: 100, queue_length: 1 },
  { op: "unsubscribe", topic: "chatter" },
  { op: "call_service", id: "c", service: "/rosapi/get_time", args: {}, timeout: 1 },
  {
    op: "service_response",
    id: "c",
    service: "/rosapi/get_time",
    values: { time: { sec: 1, nanosec: 2 } },
    result: true,
  },
  { op: "advertise_service", type: "std_srvs/srv/Trigger", service: "/reset" },
  { op: "unadvertise_service", service: "/reset" },
  { op: "fragment", id: "f", data: "{}", num: 0, total: 1 },
  { op: "status", level: "error", msg: "no" },
];

describe("operations", () => {
  it.each(operations)("come back as they were written: $op", (operation) => {
    expect(decodeOperation(encodeOperation(operation))).toEqual(operation);
  });

  it("take the numbers that the ROS 2 server sends as fragment id and total", () => {
    const text = '{"op":"fragment","id":0,"data":"x","num":0,"total":1.2}';
    expect(decodeOperation(text)).toEqual({ op: "fragment", id: "0", data: "x", num: 0, total: 1.2 });
  });

  it("drop keys that the operation does not have, and name operations that are not spoken", () => {
    expect(decodeOperation('{"op":"unadvertise","topic":"/a","secret":1}')).toEqual({ op: "unadvertise", topic: "/a" });
    expect(decodeOperation('{"op":"set_level","level":"none"}')).toEqual({ op: "unknown", name: "set_level" });
    expect(decodeOperation('{"op":"constructor"}')).toEqual({ op: "unknown", name: "constructor" });
  });

  it.each([
    ["", "is not JSON"],
    ["[]", "must be an object with an op"],
    ["null", "must be an object with an op"],
    ['{"op":5}', "must be an object with an op"],
    ['{"op":"publish","topic":"/a"}', "rosbridge publish: msg"],
    ['{"op":"publish","topic":"/a","msg":[1]}', "rosbridge publish: msg"],
    ['{"op":"publish","topic":"a b","msg":{}}', "not a ROS name"],
    ['{"op":"subscribe","topic":"/a","throttle_rate":-1}', "throttle_rate"],
    ['{"op":"fragment","id":"1","data":"","num":-1,"total":2}', "num"],
  ])("refuse %s", (text, problem) => {
    expect(() => decodeOperation(text)).toThrow(FormatError);
    expect(() => decodeOperation(text)).toThrow(problem);
  });

  it("refuse a text that is too long, counted in bytes of UTF-8", () => {
    const text = encodeOperation({ op: "status", level: "info", msg: "é".repeat(50) });
    expect(() => decodeOperation(text, text.length)).toThrow("must have at most");
    expect(decodeOperation(text, text.length + 50)).toMatchObject({ op: "status" });
  });

  it("answer any text with an operation or a FormatError, nothing else", () => {
    const anyText = fc.oneof(
      fc.string(),
      fc.json(),
      fc.constantFrom(...operations).chain((operation) => {
        const text = encodeOperation(operation);
        return fc.nat(text.length).map((cut) => text.slice(0, cut));
      }),
    );
    fc.assert(
      fc.property(anyText, (text) => {
        try {
          expect(typeof decodeOperation(text).op).toBe("string");
        } catch (error) {
          expect(error).toBeInstanceOf(FormatError);
        }
      }),
    );
  });

  it("know that a name with and without a slash in front is one topic", () => {
    expect(fullName("chatter")).toBe("/chatter");
    expect(fullName("/chatter")).toBe("/chatter");
  });
});
