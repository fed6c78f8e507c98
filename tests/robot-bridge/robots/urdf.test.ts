import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "@jest/globals";
import { ConfigError, FormatError } from "#core/errors.ts";
import { forwardKinematics } from "#core/geometry/kinematics.ts";
import { rotate } from "#core/geometry/quaternion.ts";
import { readArmFile } from "#robot-bridge/robots/arm-file.ts";
import { chainFromUrdf } from "#robot-bridge/robots/urdf.ts";

const limit = '<limit lower="-2" upper="1.5" velocity="3" effort="10"/>';
/** A turntable, a mast (fixed, turned by 90 degrees about Z), a slide along its X, and a tool 0.1 m farther. */
const urdf = `<?xml version="1.0"?>
<robot name="crane">
  <!-- an arm beside it -->
  <joint name="other" type="fixed"><parent link="base_link"/><child link="lamp"/></joint>
  <joint name="turn" type="continuous">
    <origin xyz="0 0 0.5" rpy="0 0 0"/><parent link="base_link"/><child link="table"/><axis xyz="0 0 2"/>
    <limit velocity="3"/>
  </joint>
  <joint name="mast" type="fixed">
    <origin xyz="0.2  0 0" rpy="0 0 1.5707963267948966"/><parent link="table"/><child link="mast"/>
  </joint>
  <joint name="slide" type="prismatic"><parent link="mast"/><child link="sledge"/>${limit}</joint>
  <joint name="hand" type="fixed"><origin xyz="0.1 0 0"/><parent link="sledge"/><child link="tool0"/></joint>
</robot>`;
const options = { path: "crane.urdf", base: "base_link", tip: "tool0" };

const folders: string[] = [];
afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true });
});

describe("chainFromUrdf", () => {
  it("reads joints with their limits and folds the fixed ones in", () => {
    const chain = chainFromUrdf(urdf, options);
    expect(chain.joints).toMatchObject([
      { name: "turn", kind: "revolute", axis: [0, 0, 1], low: -2 * Math.PI, high: 2 * Math.PI, velocityLimit: 3 },
      { name: "slide", kind: "sliding", axis: [1, 0, 0], low: -2, high: 1.5, velocityLimit: 3 },
    ]);
    // Turned by 0: 0.2 m out, then 0.3 + 0.1 m along the mast's X, which is Y.
    expect(forwardKinematics(chain, [0, 0.3]).position).toBeAllClose([0.2, 0.4, 0.5]);
    const quarter = forwardKinematics(chain, [Math.PI / 2, 0.3]);
    expect(quarter.position).toBeAllClose([-0.4, 0.2, 0.5]);
    expect(rotate(quarter.quaternion, [1, 0, 0])).toBeAllClose([-1, 0, 0]);
  });

  it.each([
    [
      "xacro that was not run",
      urdf.replace("<robot", "<xacro:robot").replace("</robot", "</xacro:robot"),
      options,
      "xacro",
    ],
    ["a text that is no XML", "joints: 6", options, "must be"],
    ["a file that was cut", urdf.slice(0, 400), options, "must be"],
    ["a tip that is not there", urdf, { ...options, tip: "tcp" }, 'but stops at "tcp"'],
    ["a base that is not above the tip", urdf, { ...options, base: "lamp" }, 'but stops at "base_link"'],
    ["no moving joint", urdf, { ...options, tip: "lamp" }, "must have moving joints"],
    ["a joint without a speed limit", urdf.replace('<limit velocity="3"/>', ""), options, 'limit with "velocity"'],
    ["a joint of another kind", urdf.replace('"continuous"', '"floating"'), options, 'got "floating"'],
    ["an axis that points nowhere", urdf.replace("0 0 2", "0 0 0"), options, "must point somewhere"],
    ["an origin with a hole", urdf.replace("0 0 0.5", "0 0"), options, "must be three numbers"],
  ])("refuses %s", (_, text, given, message) => {
    expect(() => chainFromUrdf(text, given)).toThrow(FormatError);
    expect(() => chainFromUrdf(text, given)).toThrow(message);
  });
});

describe("readArmFile", () => {
  const write = (description: unknown) => {
    const folder = mkdtempSync(join(tmpdir(), "arm-"));
    folders.push(folder);
    writeFileSync(join(folder, "crane.urdf"), urdf);
    const path = join(folder, "crane.json");
    writeFileSync(path, typeof description === "string" ? description : JSON.stringify(description));
    return path;
  };
  const base = { name: "crane", urdf: "crane.urdf", accelerationLimit: 4 };

  it("puts description and URDF together", () => {
    const worldFromBase = { position: [1, 0, 0] };
    const arm = readArmFile(write({ ...base, worldFromBase, stateNames: ["slide", "tip x"] }));
    expect(arm).toMatchObject({ name: "crane", accelerationLimit: [4, 4], stateNames: ["slide", "tip x"] });
    expect(forwardKinematics(arm.chain, [0, 0]).position).toBeAllClose([1.2, 0.1, 0.5]);
    expect(readArmFile(write(base)).stateNames).toEqual(["turn", "slide"]);
  });

  it.each<[unknown, string]>([
    ["{", "must be JSON"],
    [{ ...base, urdf: "other.urdf" }, "other.urdf: must be a file that can be read"],
    [{ ...base, accelerationLimit: [1] }, "must be one number or 2, got 1 values"],
    [{ ...base, stateNames: ["boom"] }, 'got "boom"'],
    [{ ...base, speed: 1 }, 'unknown key "speed"'],
    [{ name: "crane", urdf: "crane.urdf" }, "accelerationLimit"],
  ])("refuses %j", (description, message) => expect(() => readArmFile(write(description))).toThrow(message));

  it("says when the file is missing", () => {
    expect(() => readArmFile("/nowhere/arm.json")).toThrow(ConfigError);
  });
});
