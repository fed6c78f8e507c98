/** @file What the simulated arm says about its task, as JSON inside `std_msgs/String`. */
import { z } from "zod";
import { FormatError } from "#core/errors.ts";
import { decodeString, encodeString } from "./messages.ts";

const finite = z.number();
const taskStatusJson = z.object({
  /** Counts resets. */
  episode: z.int().min(0),
  instruction: z.string().max(4096),
  elapsedS: finite.min(0),
  done: z.boolean(),
  success: z.boolean(),
});

export type TaskStatus = z.infer<typeof taskStatusJson>;

/** @throws FormatError when the message is not a `String` that holds the JSON of a status */
export function decodeTaskStatus(message: unknown): TaskStatus {
  let value: unknown;
  try {
    value = JSON.parse(decodeString(message));
  } catch (cause) {
    if (cause instanceof FormatError) throw cause;
    throw new FormatError("task status", "is not JSON.", { cause });
  }
  const result = taskStatusJson.safeParse(value);
  if (result.success) return result.data;
  const issue = result.error.issues[0];
  throw new FormatError("task status", `${issue?.path.join(".") || "message"}: ${issue?.message ?? "wrong"}.`);
}

export const encodeTaskStatus = (status: TaskStatus): unknown => encodeString(JSON.stringify(status));
