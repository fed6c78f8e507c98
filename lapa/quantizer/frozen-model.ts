/** What a file computes. */
export type FrozenModel = {
  /** Side of the pictures, and their order of axes. */
  readonly size: number;
  readonly channelsFirst: boolean;
  /** Pictures that go in at once, at most. */
  readonly batch: number;
  /** @param pixels f32[batch, 3, size, size] or f32[batch, size, size, 3] */
  run(pixels: Float32Array): Promise<{ readonly dims: readonly number[]; readonly data: Float32Array }>;
  dispose(): Promise<void>;
};
