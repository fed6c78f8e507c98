/**
 * Mirrors a picture in place.
 *
 * @param pixels u8[..., size, size, 3]; the picture starts at `offset`
 */
export function mirrorPicture(
  pixels: Uint8Array,
  offset: number,
  size: number,
  { horizontal, vertical }: { readonly horizontal: boolean; readonly vertical: boolean },
): void {
  const row = size * 3;
  if (vertical) {
    const kept = new Uint8Array(row);
    for (let top = 0; top < size >> 1; top++) {
      const [upper, lower] = [offset + top * row, offset + (size - 1 - top) * row];
      kept.set(pixels.subarray(upper, upper + row));
      pixels.copyWithin(upper, lower, lower + row);
      pixels.set(kept, lower);
    }
  }
  if (!horizontal) return;
  for (let start = offset; start < offset + size * row; start += row) {
    for (let left = start, right = start + row - 3; left < right; left += 3, right -= 3) {
      for (let channel = 0; channel < 3; channel++) {
        const kept = pixels[left + channel]!;
        pixels[left + channel] = pixels[right + channel]!;
        pixels[right + channel] = kept;
      }
    }
  }
}
