import type { Node, Op } from "../../program/program.ts";
import type { OnnxBuilder, Operand } from "./onnx-builder.ts";

/** Writes one node and returns the name of its result. */
export type Emitter<O extends Op> = (onnx: OnnxBuilder, node: Node<O>, operands: readonly Operand[]) => string;
