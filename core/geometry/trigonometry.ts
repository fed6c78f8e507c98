/**
 * @file Sine, cosine and arc tangent that give the same last bit in every JavaScript engine: only + - * /, so whatever is
 * computed from them (pixels, actuator targets) can be compared byte by byte between Node and browsers. `Math.sin` and its
 * like differ between engine versions. Polynomials: fdlibm (Sun Microsystems 1993), k_sin.c, k_cos.c and s_atan.c; errors
 * below 1 unit in the last place for |angle| <= 1e5.
 */

const { round } = Math;

/** pi/2 in two parts: the first has 33 bits, so that its products with quarter turns below 2^20 are exact. */
const quarterHigh = 1.5707963267341256;
const quarterLow = 6.077100506506192e-11;

/** sin on [-pi/4, pi/4]; `low` is what `angle` misses of the true argument. */
function kernelSine(angle: number, low: number): number {
  const z = angle * angle;
  const cube = z * angle;
  const tail =
    0.00833333333332249 +
    z * (-1.984126982985795e-4 + z * (2.7557313707070068e-6 + z * (-2.5050760253406863e-8 + z * 1.58969099521155e-10)));
  return angle - (z * (0.5 * low - cube * tail) - low - cube * -0.16666666666666632);
}

/** cos on [-pi/4, pi/4]. */
function kernelCosine(angle: number, low: number): number {
  const z = angle * angle;
  const tail =
    z *
    (0.0416666666666666 +
      z *
        (-0.001388888888887411 +
          z *
            (2.480158728947673e-5 +
              z * (-2.7557314351390663e-7 + z * (2.087572321298175e-9 + z * -1.1359647557788195e-11)))));
  const half = 0.5 * z;
  const whole = 1 - half;
  return whole + (1 - whole - half + (z * tail - angle * low));
}

/** Sine and cosine of an angle in radians, |angle| <= 1e5. */
export function sineCosine(angleRad: number): readonly [sine: number, cosine: number] {
  const quarters = round(angleRad * (2 / Math.PI));
  const high = angleRad - quarters * quarterHigh;
  const rest = quarters * quarterLow;
  const reduced = high - rest;
  const low = high - reduced - rest;
  const sine = kernelSine(reduced, low);
  const cosine = kernelCosine(reduced, low);
  switch (((quarters % 4) + 4) % 4) {
    case 0:
      return [sine, cosine];
    case 1:
      return [cosine, -sine];
    case 2:
      return [-sine, -cosine];
    default:
      return [-cosine, sine];
  }
}

export const sine = (angleRad: number): number => sineCosine(angleRad)[0];
export const cosine = (angleRad: number): number => sineCosine(angleRad)[1];

export function tangent(angleRad: number): number {
  const [sin, cos] = sineCosine(angleRad);
  return sin / cos;
}

const arcTangentTerms = [
  0.3333333333333293, -0.19999999999876483, 0.14285714272503466, -0.11111110405462356, 0.09090887133436507,
  -0.0769187620504483, 0.06661073137387531, -0.058335701337905735, 0.049768779946159324, -0.036531572744216916,
  0.016285820115365782,
] as const;

/** Where the argument is reduced to: below the bound, atan(x) = atan(centre) + atan((x - centre) / (1 + centre x)). */
const arcTangentCentres = [
  { below: 0.4375, centre: 0, high: 0, low: 0 },
  { below: 0.6875, centre: 0.5, high: 0.4636476090008061, low: 2.2698777452961687e-17 },
  { below: 1.1875, centre: 1, high: 0.7853981633974483, low: 3.061616997868383e-17 },
  { below: 2.4375, centre: 1.5, high: 0.982793723247329, low: 1.3903311031230998e-17 },
  { below: Infinity, centre: Infinity, high: 1.5707963267948966, low: 6.123233995736766e-17 },
] as const;

/** atan(x) for x >= 0. */
function arcTangent(x: number): number {
  const { centre, high, low } = arcTangentCentres.find(({ below }) => x < below) ?? arcTangentCentres[4];
  const reduced = centre === Infinity ? -1 / x : (x - centre) / (1 + centre * x);
  const z = reduced * reduced;
  let sum = 0;
  for (let term = arcTangentTerms.length - 1; term >= 0; term--) sum = arcTangentTerms[term]! + z * sum;
  return high + (low - reduced * z * sum + reduced);
}

/** Angle of the point (x, y) in (-pi, pi], radians; 0 for the origin. */
export function arcTangent2(y: number, x: number): number {
  if (x === 0 && y === 0) return 0;
  const acute = x === 0 ? Math.PI / 2 : arcTangent(Math.abs(y / x));
  const upper = x < 0 ? Math.PI - acute : acute;
  return y < 0 ? -upper : upper;
}
