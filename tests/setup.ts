import { expect } from "@jest/globals";

declare module "expect" {
  interface Matchers<R> {
    /** Every element within `absolute + relative * |expected|` of the expected one. */
    toBeAllClose(expected: ArrayLike<number>, tolerance?: { absolute?: number; relative?: number }): R;
  }
}

expect.extend({
  toBeAllClose(received: ArrayLike<number>, expected: ArrayLike<number>, tolerance = {}) {
    const { absolute = 1e-5, relative = 1e-4 } = tolerance as { absolute?: number; relative?: number };
    const message = (text: string) => () => text;
    if (received.length !== expected.length) {
      return { pass: false, message: message(`expected ${expected.length} elements, got ${received.length}`) };
    }
    for (let index = 0; index < expected.length; index++) {
      const want = expected[index]!;
      const got = received[index]!;
      if (!(Math.abs(got - want) <= absolute + relative * Math.abs(want))) {
        return { pass: false, message: message(`element ${index}: expected ${want}, got ${got}`) };
      }
    }
    return { pass: true, message: message("expected some element to differ") };
  },
});
