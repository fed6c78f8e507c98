import { createHash } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import * as ort from "onnxruntime-node";
import { FormatError, UserError } from "#core/errors.ts";

export type OnnxEncoder = {
  readonly sha256: string;
  readonly inputs: readonly ort.InferenceSession.TensorValueMetadata[];
  run(feeds: Readonly<Record<string, ort.Tensor>>): Promise<ort.Tensor>;
};

const opened = new Map<string, Promise<OnnxEncoder>>();

async function open(path: string, sha256: string): Promise<OnnxEncoder> {
  let session: ort.InferenceSession;
  try {
    session = await ort.InferenceSession.create(path, { logSeverityLevel: 3 });
  } catch (cause) {
    throw new FormatError(path, `must be an ONNX model that ONNX Runtime can load: ${(cause as Error).message}`, {
      cause,
    });
  }
  const inputs = session.inputMetadata as readonly ort.InferenceSession.TensorValueMetadata[];
  return {
    sha256,
    inputs,
    run: async (feeds) => (await session.run({ ...feeds }))[session.outputNames[0]!]!,
  };
}

/**
 * Opens a frozen encoder; the same file is opened once.
 *
 * @param expected SHA-256 of the file that was trained with; empty: any
 * @throws UserError when the file is missing or another one; FormatError when it is no model
 */
export async function openOnnxEncoder(what: string, path: string, expected: string): Promise<OnnxEncoder> {
  if (!existsSync(path)) throw new UserError(`${what}: ${path} does not exist. Give the path of an ONNX file.`);
  const sha256 = createHash("sha256").update(readFileSync(path)).digest("hex");
  if (expected !== "" && sha256 !== expected) {
    throw new UserError(
      `${what}: ${path} must be the file that the model was trained with (SHA-256 ${expected.slice(0, 16)}), got ${sha256.slice(0, 16)}. Put that file back or train again.`,
    );
  }
  const known = opened.get(sha256) ?? open(path, sha256);
  opened.set(sha256, known);
  return known;
}
