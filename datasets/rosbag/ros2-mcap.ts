import { FormatError } from "#core/errors.ts";
import { openMcap } from "../mcap/records.ts";
import type { Bag } from "./bag-types.ts";
import { type Decode, ros2Decoder } from "./ros2-types.ts";

/** @throws FormatError when the recording is cut or holds no ROS messages */
export async function openMcapBag(path: string): Promise<Bag> {
  const { reader, close } = await openMcap(path);
  const channels = [...reader.channelsById.values()].map((channel) => {
    const schema = reader.schemasById.get(channel.schemaId);
    const text = schema?.encoding === "ros2msg" ? Buffer.from(schema.data).toString("utf8") : undefined;
    return {
      id: channel.id,
      name: channel.topic,
      type: schema?.name ?? "unknown",
      encoding: channel.messageEncoding,
      text,
    };
  });
  return {
    ...{ path, format: "rosbag2-mcap", close },
    topics: channels.map(({ name, type }) => ({ name, type })).sort((left, right) => (left.name < right.name ? -1 : 1)),
    async *messages(wanted) {
      const decoders = new Map<number, { topic: string; type: string; decode: Decode }>();
      for (const { id, name, type, encoding, text } of channels) {
        if (wanted && !wanted.includes(name)) continue;
        const decode = encoding === "cdr" ? ros2Decoder(type, text) : undefined;
        if (decode) decoders.set(id, { topic: name, type, decode });
        else if (wanted)
          throw new FormatError(path, `topic "${name}" must be ROS 2 (cdr) of a known type, got ${encoding} ${type}.`);
      }
      for (const name of wanted ?? []) {
        if (!channels.some((channel) => channel.name === name)) {
          throw new FormatError(
            path,
            `has no topic "${name}"; it has ${channels.map((channel) => channel.name).join(", ")}.`,
          );
        }
      }
      const topics = [...decoders.values()].map(({ topic }) => topic);
      try {
        for await (const { channelId, logTime, data } of reader.readMessages({ topics })) {
          const { topic, type, decode } = decoders.get(channelId)!;
          yield { topic, type, stampNs: logTime, message: decode(data) };
        }
      } catch (cause) {
        throw new FormatError(path, `a message cannot be read (${(cause as Error).message.slice(0, 120)}).`, { cause });
      }
    },
  };
}
