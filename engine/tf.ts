/**
 * @file TensorFlow.js as the engine uses it: the CPU backend without its banner, and the gradients that TensorFlow.js
 * lacks or gets wrong. Models may import "@tensorflow/tfjs" directly; it is the same module.
 */
import * as tf from "@tensorflow/tfjs";
import { registerGradients } from "./trace/gradients.ts";

registerGradients();
// The CPU backend recommends tfjs-node at its first use; here it is only the oracle.
(tf.engine().findBackend("cpu") as unknown as { firstUse: boolean }).firstUse = false;

/** Runs `work`, which must be synchronous, on a backend and puts the previous one back. */
export function withBackend<T>(name: string, work: () => T): T {
  const engine = tf.engine();
  // Nothing is chosen yet in a fresh process; what runs outside of a trace must never meet the tracing backend.
  const previous = engine.backendName ?? "cpu";
  // Both calls finish synchronously: the backends used here have no asynchronous initialisation.
  void engine.setBackend(name);
  try {
    return work();
  } finally {
    if (previous !== name) void engine.setBackend(previous);
  }
}

export { tf };
