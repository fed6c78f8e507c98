import { toOnnx } from "./executors/onnx/onnx-model.ts";
import type { InputSpec } from "./inputs.ts";
import type { tf } from "./tf.ts";
import { stateName, type TracedFunction, traceProgram } from "./trace/trace.ts";
import { flattenTree, type HostArray, type Tree } from "./tree.ts";

/**
 * Writes a function with its state as one ONNX file (opset 18 and com.microsoft: any ONNX Runtime 1.14 or newer). Inputs and
 * outputs keep the function's names.
 *
 * @param options as those of `compile`; `metadata` are texts that travel in the file
 * @throws UserError when the function cannot be traced
 */
export function exportOnnx<S extends Tree<tf.Tensor>>(
  fn: TracedFunction<S>,
  options: {
    readonly name: string;
    readonly state: Tree<HostArray>;
    readonly inputs: Readonly<Record<string, InputSpec>>;
    readonly metadata?: Readonly<Record<string, string>>;
  },
): Uint8Array {
  const { state, metadata = {} } = options;
  const program = traceProgram(fn as unknown as TracedFunction, options);
  const constants = new Map(flattenTree(state).map(([path, array]) => [stateName(path), array]));
  const ends = [
    ...program.nodes.flatMap((node) => (node.op === "input" ? [node.attributes.name] : [])),
    ...program.outputs.map(({ name }) => name),
  ];
  const names = new Map(ends.map((name) => [name, name.slice(name.indexOf(":") + 1)]));
  return toOnnx(program, { constants, names, metadata });
}
