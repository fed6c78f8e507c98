/**
 * @file Sizes of the tabletop, metres. World frame: origin at the table's centre, +X to the right and +Y away from the
 * viewer as the cameras see it, Z up with the table top at 0. Human arms come in from -Y, robot arms from +Y.
 */

/** The tip is kept inside [-reach, reach] on both axes: room to get behind a block that lies at the border. */
export const reachM = 0.31;
/** Edges and corners of the instructions are those of the square [-border, border]. */
export const borderM = 0.26;
/** Half the visible table's side. */
export const tableHalfM = 0.42;
/** A block whose centre is farther out than this counts as lost. */
export const lostBeyondM = 0.36;
/** Half the height of a block. */
export const blockHalfHeightM = 0.02;
/** Radius that stands for every block in goals and planning; the true outlines are within 0.026 and 0.042. */
export const blockRadiusM = 0.034;
/** Control rate of the push suite. */
export const pushRateHz = 10;
/** Largest planar move per control step and axis. */
export const stepLimitM = 0.03;
