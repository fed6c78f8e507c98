/**
 * @file Errors that a user can mend. Every message reads
 * `subject: what must hold, got what. What to do.`; the command line prints it alone and exits with 2.
 * Anything that is not a `UserError` is a bug: stack trace, exit 1.
 */
export class UserError extends Error {
  override name = "UserError";
}

/** A configuration or command line that cannot be accepted. */
export class ConfigError extends UserError {
  override name = "ConfigError";
}

/** An array whose shape or dtype is not what the callee promises to take. */
export class ShapeError extends UserError {
  override name = "ShapeError";
}

/** A file or message that does not follow its format: says the path and, where known, the byte. */
export class FormatError extends UserError {
  override name = "FormatError";
  readonly path: string;
  readonly byte: number | undefined;

  constructor(path: string, problem: string, options: { byte?: number; cause?: unknown } = {}) {
    const place = options.byte === undefined ? path : `${path}: byte ${options.byte}`;
    super(`${place}: ${problem}`, options.cause === undefined ? undefined : { cause: options.cause });
    this.path = path;
    this.byte = options.byte;
  }
}

/** A robot or its link that cannot be used safely. */
export class RobotError extends UserError {
  override name = "RobotError";
}
