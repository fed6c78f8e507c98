/** @file How ROS 2 messages are decoded: by definitions that the recording brings, else by the usual ones. */
import type { MessageDefinition } from "@foxglove/message-definition";
import rosmsg from "@foxglove/rosmsg";
import common from "@foxglove/rosmsg-msgs-common";
import rosmsg2 from "@foxglove/rosmsg2-serialization";

export type Decode = (data: Uint8Array) => Record<string, unknown>;

const usual = common.ros2jazzy as unknown as Readonly<Record<string, MessageDefinition>>;

/** "pkg/msg/Name" and "pkg/Name" are the same. */
const lookUp = (type: string): MessageDefinition | undefined =>
  usual[type] ?? usual[type.replace("/msg/", "/")] ?? usual[type.replace("/", "/msg/")];

/** The definition of a type and all that it is made of; `undefined` when one is not known. */
function usualDefinitions(type: string): MessageDefinition[] | undefined {
  const found: MessageDefinition[] = [];
  const open = [type];
  const seen = new Set<string>();
  for (let name = open.shift(); name !== undefined; name = open.shift()) {
    if (seen.has(name)) continue;
    seen.add(name);
    const definition = lookUp(name);
    if (!definition) return undefined;
    found.push({ ...definition, name });
    for (const field of definition.definitions) if (field.isComplex === true) open.push(field.type);
  }
  return found;
}

/**
 * @param text the recording's own definition (ros2msg), where it has one
 * @returns `undefined` when the type is not known
 */
export function ros2Decoder(type: string, text?: string): Decode | undefined {
  const definitions = text === undefined || text === "" ? usualDefinitions(type) : rosmsg.parse(text, { ros2: true });
  if (!definitions) return undefined;
  const reader = new rosmsg2.MessageReader<Record<string, unknown>>(definitions);
  return (data) => reader.readMessage(data);
}
