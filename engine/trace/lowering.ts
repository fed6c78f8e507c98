import type { Graph, Value } from "../program/graph.ts";

/**
 * Translates one TensorFlow.js kernel into program nodes. Declared as a method so that each entry may name the inputs
 * and attributes of its own kernel.
 */
export type Lowering = {
  lower(graph: Graph, inputs: Record<string, Value>, attributes: object): Value | readonly Value[];
}["lower"];

export type Lowerings = Readonly<Record<string, Lowering>>;

export type X = { readonly x: Value };
export type AB = { readonly a: Value; readonly b: Value };
