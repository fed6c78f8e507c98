/** One picture. `data` is u8[H, W, 3], row-major, sRGB, range [0, 255]. */
export type Image = { readonly data: Uint8Array; readonly height: number; readonly width: number };
