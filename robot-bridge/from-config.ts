/** @file The bridge's commands as plain functions of their configuration. */
import type { Clock } from "#core/clock.ts";
import type { Policy } from "#core/contracts/policy.ts";
import { pushPresets } from "#world/index.ts";
import type { BridgeRecordConfig, BridgeRunConfig, BridgeSimulateConfig, BridgeStopConfig } from "./config.ts";
import type { LoopStatus } from "./control-loop.ts";
import { MqttLink, mqttArmLinks } from "./mqtt/link.ts";
import { MqttServer } from "./mqtt/server.ts";
import { type RecordingSummary, type RecordOptions, recordRobot } from "./recorder.ts";
import type { ArmDescription } from "./robots/arm-description.ts";
import { readArmFile } from "./robots/arm-file.ts";
import type { ArmLink } from "./robots/arm-link.ts";
import { setEstop } from "./robots/emergency-stop.ts";
import { RosArm } from "./robots/ros-arm.ts";
import { RosLink, rosArmLinks } from "./robots/ros-link.ts";
import { type BridgeSummary, runBridge } from "./run.ts";
import { type RunningArm, simulateArm } from "./simulate.ts";
import { ExpertPolicy } from "./simulation/expert-policy.ts";
import { openTabletopPlant, tabletopArm } from "./simulation/tabletop-arm.ts";

export type BridgeContext = {
  readonly signal?: AbortSignal | undefined;
  readonly clock?: Clock;
  readonly log?: (line: string) => void;
  readonly onStatus?: (status: LoopStatus) => void;
};

/** @param arm "tabletop-arm" or the path of an arm file */
export const findArm = (arm: string): ArmDescription => (arm === tabletopArm.name ? tabletopArm : readArmFile(arm));

/** `bridge run`: drives the robot with the policy. See `runBridge`. */
export function runBridgeFrom(
  config: BridgeRunConfig,
  policy: Policy,
  context: BridgeContext = {},
): Promise<BridgeSummary> {
  const { robot: url, mqttPrefix, arm, instruction, safety, topics, maxStateAgeMs, maxCameraAgeMs, ...run } = config;
  const { camera, ...others } = topics;
  const { clock, log } = context;
  const description = findArm(arm);
  const shared = { ...(clock ? { clock } : {}), ...(log ? { log } : {}) };
  const robot = new RosArm(
    {
      description,
      cameras: policy.spec.cameras.map((each) => ({ ...each, topic: camera.replaceAll("{name}", each.name) })),
      instruction,
      safety,
      topics: others,
      periodMs: 1000 / run.rateHz,
      maxStateAgeMs,
      maxCameraAgeMs,
      ...shared,
    },
    isMqtt(url)
      ? mqttArmLinks(
          description.chain.joints.map(({ name }) => name),
          { url, prefix: mqttPrefix, ...shared },
        )
      : rosArmLinks(url, shared),
  );
  return runBridge({ ...run, policy, robot, description, ...context });
}

const isMqtt = (url: string): boolean => /^mqtts?:/.test(url);

/** A connection beside the arm's own. */
function sideLink(name: string, url: string, prefix: string, log?: (line: string) => void): ArmLink {
  const options = { name, url, ...(log ? { log } : {}) };
  return isMqtt(url) ? new MqttLink({ ...options, prefix }) : new RosLink(options);
}

/** The scripted expert for the simulated arm at this address. Close it after the run. */
export async function openExpert(
  { robot, mqttPrefix }: Pick<BridgeRunConfig, "robot" | "mqttPrefix">,
  { log }: BridgeContext = {},
): Promise<ExpertPolicy> {
  const expert = new ExpertPolicy(sideLink("expert link", robot, mqttPrefix, log));
  await expert.open();
  return expert;
}

/** `bridge simulate`: the tabletop arm behind a rosbridge server or a broker, until the signal fires or it is closed. */
export async function simulateArmFrom(config: BridgeSimulateConfig, context: BridgeContext = {}): Promise<RunningArm> {
  const { suite, split, seed, port, host, token, broker, mqttPrefix: prefix, ...shown } = config;
  const { signal, clock, log } = context;
  const plant = await openTabletopPlant({ suite: pushPresets[suite], split, seed });
  try {
    const access = { host, ...(token === "" ? {} : { token }) };
    const running = await simulateArm({
      plant,
      port,
      ...access,
      ...shown,
      openServer: broker
        ? (hooks) => new MqttServer({ url: broker, prefix, nowNs: () => hooks.clock.nowNs(), log: hooks.log })
        : undefined,
      signal,
      ...(clock ? { clock } : {}),
      ...(log ? { log } : {}),
    });
    void running.done.finally(() => plant.close());
    return running;
  } catch (error) {
    plant.close();
    throw error;
  }
}

/** `bridge record`: listens beside a run and writes an MCAP file until the signal fires. */
export function recordFrom(
  { robot, mqttPrefix, file: path, cameras, topics }: BridgeRecordConfig,
  context: Omit<BridgeContext, "signal" | "onStatus"> & Pick<RecordOptions, "signal" | "onProgress">,
): Promise<RecordingSummary> {
  const { camera, ...others } = topics;
  const { signal, onProgress, clock, log } = context;
  return recordRobot({
    link: sideLink("recording link", robot, mqttPrefix, log),
    path,
    topics: others,
    cameras: cameras.map((name) => camera.replaceAll("{name}", name)),
    signal,
    ...(onProgress ? { onProgress } : {}),
    ...(clock ? { clock } : {}),
  });
}

/** `bridge stop`: presses the e-stop, or releases it. */
export function stopRobot({
  robot,
  mqttPrefix,
  topic,
  release,
}: BridgeStopConfig): Promise<{ readonly confirmedMs: number }> {
  return setEstop({ link: sideLink("e-stop link", robot, mqttPrefix), isOn: !release, topic });
}
