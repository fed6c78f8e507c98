/** @file TensorFlow.js graphs with their fused convolutions taken apart, so that every node is an operation of the engine. */
import { FormatError } from "#core/errors.ts";

export type GraphNode = {
  readonly name: string;
  readonly op: string;
  readonly input?: readonly string[];
  readonly attr?: Readonly<Record<string, unknown>>;
};

const plain: Readonly<Record<string, string>> = {
  _FusedConv2D: "Conv2D",
  FusedDepthwiseConv2dNative: "DepthwiseConv2dNative",
};

/** What follows the convolution; base64 text, as protobuf's JSON has it. */
function fusedOps({ attr }: GraphNode): string[] {
  const { list } = (attr?.fused_ops ?? {}) as { list?: { s?: readonly string[] } };
  return (list?.s ?? []).map((text) => Buffer.from(text, "base64").toString("utf8"));
}

function unfuse(node: GraphNode, path: string): GraphNode[] {
  const op = plain[node.op];
  if (op === undefined) return [node];
  const [image, filter, ...rest] = node.input ?? [];
  const steps = fusedOps(node);
  const unknown = steps.find((step) => !["BiasAdd", "Relu", "Relu6", "Elu"].includes(step));
  if (unknown !== undefined) {
    throw new FormatError(
      path,
      `must follow convolutions with a bias, Relu, Relu6 or Elu, but ${node.name} has ${unknown}.`,
    );
  }
  // The last step keeps the node's name, so that whoever reads it still finds it.
  const nameOf = (step: number) => (step === steps.length ? node.name : `${node.name}/step${step}`);
  const { fused_ops: _, num_args: __, ...attr } = node.attr ?? {};
  const convolution = { name: nameOf(0), op, input: [image!, filter!], attr };
  const type = { T: { type: "DT_FLOAT" } };
  const followers = steps.map((step, index) => ({
    ...{ name: nameOf(index + 1), op: step, attr: type },
    input: step === "BiasAdd" ? [nameOf(index), rest.shift()!] : [nameOf(index)],
  }));
  return [convolution, ...followers];
}

/** The same computation without fused nodes. @throws FormatError when a convolution is followed by something unknown */
export const unfuseGraph = (nodes: readonly GraphNode[], path: string): GraphNode[] =>
  nodes.flatMap((node) => unfuse(node, path));
