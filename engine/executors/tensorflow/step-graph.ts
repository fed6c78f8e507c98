/**
 * @file Writes the graph of a compiled function: variables that stay in the session, one XLA-compiled function per stage
 * that reads and updates them in place, and, in a cluster, the exchange between the stages.
 */
import type { HostValue, Signature } from "../host/messages.ts";
import { encodeGraph, type TfFunction, type TfNode } from "./graph-def.ts";
import type { Stage, Stages } from "./stages.ts";

/** What the host needs of a graph: nodes by name, results as `node:index`. */
export type StepGraph = {
  readonly graph: Uint8Array;
  /** Runs on all workers of the cluster at once. */
  readonly together: boolean;
  /** Placeholders of the inputs, in the signature's order. */
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  /** Run for their effects. */
  readonly targets: readonly string[];
  /** Per leaf of the state: where to feed it, what stores it, where to read it, what frees it. */
  readonly state: readonly {
    readonly feed: string;
    readonly store: string;
    readonly read: string;
    readonly free: string;
  }[];
};

export type Placement = {
  /** Unique in the process that holds the variables. */
  readonly handle: number;
  readonly device: string;
  /** "CPU", "CUDA": what the modules are compiled for. */
  readonly platform: string;
  /** In a cluster: this worker, and how many there are. */
  readonly cluster?: { readonly index: number; readonly count: number; readonly hint: string } | undefined;
};

/** The version of the calling convention (XlaCallModule). */
const moduleVersion = 9;

/** One stage as a function. Arguments: the handles of `variables`, then the values that are no state. */
function stageFunction(name: string, stage: Stage, variables: readonly Variable[], platform: string): TfFunction {
  const values = stage.takes.filter((value) => !variables.some((variable) => variable.value.name === value.name));
  const variableOf = new Map(variables.map((variable, index) => [variable.value.name, `v${index}`]));
  const replaces = new Map(variables.map((variable, index) => [variable.next, `v${index}`]));
  const operand = ({ name: key }: HostValue) =>
    variableOf.has(key) ? `read_${variableOf.get(key)}:value:0` : `x${values.findIndex((value) => value.name === key)}`;
  const reads = stage.takes.flatMap(({ name: key, type }): TfNode[] => {
    const variable = variableOf.get(key);
    if (variable === undefined) return [];
    return [{ name: `read_${variable}`, op: "ReadVariableOp", inputs: [variable], attributes: { dtype: type } }];
  });
  const module: TfNode = {
    name: "module",
    op: "XlaCallModule",
    inputs: stage.takes.map(operand),
    attributes: {
      version: moduleVersion,
      module: { string: stage.module },
      Tin: { types: stage.takes.map(({ type }) => type) },
      Tout: { types: stage.gives.map(({ type }) => type) },
      Sout: { shapes: stage.gives.map(({ shape }) => shape) },
      platforms: { strings: [platform] },
    },
  };
  const stores = stage.gives.flatMap(({ name: key, type }, index): TfNode[] => {
    const variable = replaces.get(key);
    if (variable === undefined) return [];
    const inputs = [variable, `module:output:${index}`];
    return [{ name: `store_${variable}`, op: "AssignVariableOp", inputs, attributes: { dtype: type } }];
  });
  const results = stage.gives.flatMap((value, index) => (replaces.has(value.name) ? [] : [{ value, index }]));
  return {
    name,
    inputs: [
      ...variables.map((_, index) => ({ name: `v${index}`, type: "resource" as const })),
      ...values.map(({ type }, index) => ({ name: `x${index}`, type })),
    ],
    outputs: results.map(({ value }, index) => ({ name: `y${index}`, type: value.type })),
    nodes: [...reads, module, ...stores],
    returns: Object.fromEntries(results.map(({ index }, place) => [`y${place}`, `module:output:${index}`])),
    effects: stores.map((store) => store.name),
    attributes: { _XlaMustCompile: true },
  };
}

type Variable = { readonly value: HostValue; readonly next: string | undefined; readonly node: string };

const groupKey = 1;
/** Instance keys tell the exchanges of a group apart; each program has its own thousand. */
const instancesPerProgram = 100_000;

export function buildStepGraph({ state, inputs, outputs }: Signature, cut: Stages, placement: Placement): StepGraph {
  const { handle, device, platform, cluster } = placement;
  const nodes: TfNode[] = [];
  const functions: TfFunction[] = [];
  const add = (node: TfNode) => {
    nodes.push({ ...node, device });
    return node.name;
  };
  let instance = handle * instancesPerProgram;
  const collective = (more: TfNode["attributes"]) => ({
    group_size: cluster!.count,
    group_key: groupKey,
    instance_key: ++instance,
    communication_hint: { string: cluster!.hint },
    ...more,
  });

  /** In a cluster every worker stores what the first one has. */
  const shared = (name: string, fed: string, { type, shape }: HostValue): string => {
    if (cluster === undefined) return fed;
    const attributes = collective({ T: type, shape: { shape } });
    if (cluster.index === 0) return add({ name, op: "CollectiveBcastSend", inputs: [fed], attributes });
    return add({ name, op: "CollectiveBcastRecv", attributes });
  };
  const variables = state.map(({ data: _, next, ...value }, index): Variable => {
    const node = add({
      name: `state${index}`,
      op: "VarHandleOp",
      attributes: {
        dtype: value.type,
        shape: { shape: value.shape },
        shared_name: { string: `program${handle}/${value.name}` },
      },
    });
    return { value, next, node };
  });
  const stateNodes = variables.map(({ value, node }, index) => {
    const { type, shape } = value;
    const feed = add({ name: `feed${index}`, op: "Placeholder", attributes: { dtype: type, shape: { shape } } });
    const stored = shared(`share${index}`, feed, value);
    return {
      feed,
      store: add({
        name: `store${index}`,
        op: "AssignVariableOp",
        inputs: [node, stored],
        attributes: { dtype: type },
      }),
      read: add({ name: `read${index}`, op: "ReadVariableOp", inputs: [node], attributes: { dtype: type } }),
      free: add({ name: `free${index}`, op: "DestroyResourceOp", inputs: [node] }),
    };
  });

  const sources = new Map<string, string>();
  const placeholders = inputs.map(({ name, type, shape }, index) => {
    const placeholder = add({
      name: `input${index}`,
      op: "Placeholder",
      attributes: { dtype: type, shape: { shape } },
    });
    sources.set(name, placeholder);
    return placeholder;
  });

  const calls = cut.stages.map((stage, index) => {
    const held = variables.filter(
      ({ value, next }) =>
        stage.takes.some(({ name }) => name === value.name) || stage.gives.some(({ name }) => name === next),
    );
    const fn = stageFunction(`program${handle}_stage${index}`, stage, held, platform);
    functions.push(fn);
    const values = stage.takes.filter(({ name }) => sources.has(name));
    const call = add({
      name: `stage${index}`,
      op: "StatefulPartitionedCall",
      inputs: [...held.map(({ node }) => node), ...values.map(({ name }) => sources.get(name)!)],
      attributes: {
        Tin: { types: fn.inputs.map(({ type }) => type) },
        Tout: { types: fn.outputs.map(({ type }) => type) },
        f: { function: fn.name },
        _XlaMustCompile: true,
      },
    });
    const given = stage.gives.filter(({ name }) => !held.some(({ next }) => next === name));
    given.forEach(({ name }, place) => {
      sources.set(name, `${call}:${place}`);
    });
    if (cut.exchange !== undefined && index === 0) {
      const { from, to } = cut.exchange;
      const attributes = collective({
        T: from.type,
        merge_op: { string: "Add" },
        final_op: { string: "Div" },
        subdiv_offsets: { integers: [0] },
        wait_for: { integers: [] },
      });
      sources.set(
        to.name,
        add({ name: "exchange", op: "CollectiveReduce", inputs: [sources.get(from.name)!], attributes }),
      );
    }
    return call;
  });

  const read = (name: string) => {
    const source = sources.get(name)!;
    return source.includes(":") ? source : `${source}:0`;
  };
  return {
    graph: encodeGraph(nodes, functions),
    together: cluster !== undefined,
    inputs: placeholders,
    outputs: outputs.map(({ name }) => read(name)),
    targets: calls,
    state: stateNodes,
  };
}
