export { convertLeRobot, joinLeRobot } from "./convert.ts";
export { clipsOfLeRobot, type LeRobotReader, openLeRobot } from "./reader.ts";
export { createLeRobotWriter, type LeRobotWriter, type LeRobotWriterOptions } from "./writer.ts";
