/** @file sRGB (IEC 61966-2-1) to linear light and back, without `Math.pow`: its last bit differs between engines. */

/** x^(1/5) for x in [0, 1.1] by Newton's iteration: quadratic convergence from above. */
function fifthRoot(x: number): number {
  if (x <= 0) return 0;
  let root = 1.1;
  for (let step = 0; step < 64; step++) {
    const square = root * root;
    const next = (4 * root + x / (square * square)) / 5;
    if (!(next < root)) break;
    root = next;
  }
  return root;
}

/** Linear light of an sRGB value, both in [0, 1]. */
export function linearFromSrgb(value: number): number {
  if (value <= 0.04045) return value / 12.92;
  const base = (value + 0.055) / 1.055;
  // base^2.4 = base^2 * (base^2)^(1/5)
  return base * base * fifthRoot(base * base);
}

/** Steps of the table from linear light to sRGB bytes; its last entry is white. */
export const srgbSteps = 4096;

/** u8[4097]: the sRGB byte of linear light i / 4096. */
export const srgbBytes: Uint8Array = buildSrgbBytes();

function buildSrgbBytes(): Uint8Array {
  const bytes = new Uint8Array(srgbSteps + 1);
  let byte = 0;
  for (let step = 0; step <= srgbSteps; step++) {
    while (byte < 255 && step / srgbSteps >= linearFromSrgb((byte + 0.5) / 255)) byte++;
    bytes[step] = byte;
  }
  return bytes;
}
