/** @file What a ROS recording gives, whatever its storage. */
export type BagTopic = { readonly name: string /** "sensor_msgs/msg/JointState" */; readonly type: string };

export type BagMessage = {
  readonly topic: string;
  readonly type: string;
  /** Time of recording, nanoseconds. */
  readonly stampNs: bigint;
  /** The message as plain fields: numbers, texts, typed arrays, nested objects. */
  readonly message: Readonly<Record<string, unknown>>;
};

export interface Bag {
  readonly path: string;
  readonly format: "rosbag1" | "rosbag2-sqlite3" | "rosbag2-mcap";
  readonly topics: readonly BagTopic[];
  /**
   * Messages in the order of their time.
   *
   * @param topics names; left out: all whose type is known
   * @throws FormatError when a message is damaged, or a wanted topic's type is not known
   */
  messages(topics?: readonly string[]): AsyncIterable<BagMessage>;
  close(): Promise<void>;
}
