export {
  bridgeRecordConfig,
  bridgeRunConfig,
  bridgeServeConfig,
  bridgeSimulateConfig,
  bridgeStopConfig,
} from "./config.ts";
export type { LoopStatus } from "./control-loop.ts";
export {
  type BridgeContext,
  openExpert,
  recordFrom,
  runBridgeFrom,
  simulateArmFrom,
  stopRobot,
} from "./from-config.ts";
export { isPolicyUrl, openRemotePolicy, servePolicy } from "./policies/remote.ts";
export type { ArmDescription } from "./robots/arm-description.ts";
export { RosArm, type RosArmOptions } from "./robots/ros-arm.ts";
export { type BridgeRobot, type BridgeSummary, type RunBridgeOptions, runBridge } from "./run.ts";
export { type RunningArm, type SimulatedArmStatus, simulateArm } from "./simulate.ts";
