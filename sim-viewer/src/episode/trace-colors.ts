/** sRGB of each trace's first and last point; equal in the 3-D view, on the pictures and in the toolbar. */
export const traceColors = {
  past: [0x2f4a7a, 0x8fc7ff],
  ahead: [0x4fe3b5, 0x1c6b57],
  predicted: [0xff8fd0, 0x9a4a7c],
  action: [0xffb454, 0xffb454],
} as const satisfies Record<string, readonly [number, number]>;

export const cssColor = (rgb: number) => `#${rgb.toString(16).padStart(6, "0")}`;
