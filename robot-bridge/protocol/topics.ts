/** The names under which the simulated arm speaks, and that `bridge run` expects unless told otherwise. */
export const topics = {
  jointStates: "/joint_states",
  camera: (name: string) => `/camera/${name}/compressed`,
  command: "/arm_controller/joint_trajectory",
  instruction: "/task/instruction",
  status: "/task/status",
  /** What the scripted expert may see and a policy may not: JSON of the simulator's state. */
  truth: "/task/truth",
  estop: "/estop",
  /** The robot as URDF, latched: where robot_state_publisher has it. */
  description: "/robot_description",
} as const;

export const services = {
  reset: "/sim/reset",
  status: "/sim/status",
  /** The task as data, for experts. */
  task: "/sim/task",
  time: "/rosapi/get_time",
  topics: "/rosapi/topics",
} as const;
