/** f32[B, ...] of features; whole numbers are `codes`. */
export type Told = { readonly dims: readonly number[]; readonly data: Float32Array; readonly codes: boolean };

/** What a file computes. */
export type FrozenModel = {
  /** Side of the pictures, and their order of axes. */
  readonly size: number;
  readonly channelsFirst: boolean;
  /** Pictures that go in at once, at most. */
  readonly batch: number;
  /**
   * @param pixels f32[count, 3, size, size] or f32[count, size, size, 3]; `count` is at most `batch`
   * @returns what it gives for at least as many pictures
   */
  run(pixels: Float32Array, count: number): Promise<Told>;
  dispose(): Promise<void>;
};
