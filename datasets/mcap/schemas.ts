/** @file The JSON schemas that recordings need: two of Foxglove's (github.com/foxglove/schemas) and LeRobot's scalars. */

const time = {
  type: "object",
  title: "time",
  properties: { sec: { type: "integer", minimum: 0 }, nsec: { type: "integer", minimum: 0, maximum: 999_999_999 } },
} as const;

/** `foxglove.CompressedImage`: one picture, base64 in JSON. */
export const compressedImage = {
  title: "foxglove.CompressedImage",
  description: "A compressed image",
  type: "object",
  properties: {
    timestamp: time,
    frame_id: { type: "string" },
    data: { type: "string", contentEncoding: "base64" },
    format: { type: "string", description: "jpeg, png, webp or avif" },
  },
} as const;

/** One numeric feature with a label for every dimension, so that any plot tool can show it. */
export const scalars = {
  title: "Scalars",
  type: "object",
  properties: {
    timestamp: time,
    scalars: {
      type: "array",
      items: { type: "object", properties: { label: { type: "string" }, value: { type: "number" } } },
    },
  },
} as const;

/** Nanoseconds as the schemas have time. */
export const timeOf = (stampNs: bigint) => ({
  sec: Number(stampNs / 1_000_000_000n),
  nsec: Number(stampNs % 1_000_000_000n),
});
