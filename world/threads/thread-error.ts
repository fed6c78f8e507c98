import { ConfigError, FormatError, RobotError, ShapeError, UserError } from "#core/errors.ts";

/** An error as it crosses a thread's border: structured clone keeps neither class nor `cause`. */
export type SentError = { readonly name: string; readonly message: string; readonly stack: string | undefined };

const userErrors = { UserError, ConfigError, ShapeError, RobotError } as const;

export function packError(error: unknown): SentError {
  if (!(error instanceof Error)) return { name: "Error", message: String(error), stack: undefined };
  return { name: error.name, message: error.message, stack: error.stack };
}

/** The same error again: users' errors keep their class, others the stack of the thread they come from. */
export function unpackError({ name, message, stack }: SentError): Error {
  if (Object.hasOwn(userErrors, name)) return new userErrors[name as keyof typeof userErrors](message);
  if (name === FormatError.name) return new UserError(message);
  const error = new Error(message);
  if (stack !== undefined) error.stack = stack;
  return error;
}
