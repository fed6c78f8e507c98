import { TestEnvironment } from "jest-environment-node";

/**
 * Node's environment with one set of typed arrays. Jest's own mixes two: `Uint8Array` of Node beside `Float32Array` of the
 * sandbox, so that packages which ask for "a typed array" by its class (msgpackr, onnxruntime) refuse half of them.
 */
export default class extends TestEnvironment {
  constructor(config, context) {
    super(config, context);
    for (const name of Object.getOwnPropertyNames(globalThis)) {
      if (/^(Int|Uint|Float|BigInt|BigUint)\d+(Clamped)?Array$|^DataView$/.test(name)) {
        this.global[name] = globalThis[name];
      }
    }
  }
}
