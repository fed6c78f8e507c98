/**
 * @file The operations of the rosbridge v2 protocol (RobotWebTools/rosbridge_suite, ROSBRIDGE_PROTOCOL.md and, where the
 * document and the ROS 2 server differ, the server). Keys that an operation does not define are dropped, as the real
 * server does; actions, `auth` and `png` are not spoken.
 */
import { z } from "zod";
import { FormatError } from "#core/errors.ts";

/** What the real server takes by default, bytes of UTF-8. */
export const defaultMaxMessageBytes = 10_000_000;

const id = z.string().max(1024);
/** Some clients number their messages. */
const anyId = z.union([id, z.number().transform(String)]);
const name = z
  .string()
  .regex(/^[/~A-Za-z_][/~A-Za-z0-9_]*$/, "not a ROS name")
  .max(255);
const type = z
  .string()
  .regex(/^[A-Za-z][A-Za-z0-9_/]*$/, "not a ROS type")
  .max(255);
const milliseconds = z.number().min(0).max(3_600_000);
const compression = z.enum(["none", "png", "cbor", "cbor-raw"]);
const body = z.record(z.string(), z.unknown());

const operations = {
  advertise: z.object({
    op: z.literal("advertise"),
    id: anyId.optional(),
    topic: name,
    type,
    latch: z.boolean().optional(),
    queue_size: z.int().min(0).optional(),
  }),
  unadvertise: z.object({ op: z.literal("unadvertise"), id: anyId.optional(), topic: name }),
  publish: z.object({
    op: z.literal("publish"),
    id: anyId.optional(),
    topic: name,
    msg: body,
    latch: z.boolean().optional(),
  }),
  subscribe: z.object({
    op: z.literal("subscribe"),
    id: anyId.optional(),
    topic: name,
    type: type.optional(),
    throttle_rate: milliseconds.optional(),
    queue_length: z.int().min(0).max(10_000).optional(),
    fragment_size: z.number().optional(),
    compression: compression.optional(),
  }),
  unsubscribe: z.object({ op: z.literal("unsubscribe"), id: anyId.optional(), topic: name }),
  call_service: z.object({
    op: z.literal("call_service"),
    id: anyId.optional(),
    service: name,
    args: z.union([body, z.array(z.unknown())]).optional(),
    /** Seconds; 0 or less: none. */
    timeout: z.number().nullish(),
  }),
  service_response: z.object({
    op: z.literal("service_response"),
    id: anyId.optional(),
    service: name,
    values: z.unknown(),
    result: z.boolean(),
  }),
  advertise_service: z.object({ op: z.literal("advertise_service"), type, service: name }),
  unadvertise_service: z.object({ op: z.literal("unadvertise_service"), service: name }),
  fragment: z.object({
    op: z.literal("fragment"),
    id: anyId,
    data: z.string(),
    num: z.int().min(0),
    /** The ROS 2 server sends a float here. */
    total: z.number().min(1),
  }),
  status: z.object({ op: z.literal("status"), id: anyId.optional(), level: z.string(), msg: z.string() }),
} as const;

type OperationName = keyof typeof operations;
export type OperationOf<Name extends OperationName> = z.infer<(typeof operations)[Name]>;
export type Operation = { [Name in OperationName]: OperationOf<Name> }[OperationName];

/** What `decodeOperation` says about an `op` that is well formed but not spoken here. */
export type UnknownOperation = { readonly op: "unknown"; readonly name: string };

const hasName = (value: string): value is OperationName => Object.hasOwn(operations, value);

const utf8 = new TextEncoder();

/**
 * Reads one text message.
 *
 * @throws FormatError when it is too long, is not a JSON object with an `op`, or a field has the wrong type or size
 */
export function decodeOperation(text: string, maxBytes: number = defaultMaxMessageBytes): Operation | UnknownOperation {
  if (text.length > maxBytes || (text.length * 3 > maxBytes && utf8.encode(text).length > maxBytes)) {
    throw new FormatError("rosbridge message", `must have at most ${maxBytes} bytes, got ${text.length} characters.`);
  }
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new FormatError("rosbridge message", `is not JSON (${text.length} characters).`, { cause });
  }
  return checkOperation(value);
}

/** Checks a message that is parsed already. */
export function checkOperation(value: unknown): Operation | UnknownOperation {
  const op = typeof value === "object" && value !== null && "op" in value ? value.op : undefined;
  if (typeof op !== "string") throw new FormatError("rosbridge message", "must be an object with an op.");
  if (!hasName(op)) return { op: "unknown", name: op.slice(0, 64) };
  const result = operations[op].safeParse(value);
  if (result.success) return result.data as Operation;
  const issue = result.error.issues[0];
  throw new FormatError(`rosbridge ${op}`, `${issue?.path.join(".") || "message"}: ${issue?.message ?? "wrong"}.`);
}

/** One line of JSON. Fields that are `undefined` are left out. */
export const encodeOperation = (operation: Operation): string => JSON.stringify(operation);

/** `chatter` and `/chatter` name one topic. */
export const fullName = (topic: string): string => (topic.startsWith("/") ? topic : `/${topic}`);
