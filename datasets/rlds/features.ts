/** @file `features.json` of a TFDS data set: which arrays the steps of an episode have. */
import type { Feature } from "#core/contracts/episode.ts";
import { FormatError } from "#core/errors.ts";

type Node = Readonly<Record<string, unknown>>;
/** One array of a step: its key in the Example, its name here, how it is stored. */
export type StepFeature = {
  readonly key: string;
  readonly name: string;
  readonly feature: Feature;
  /** How TFDS encodes a tensor; "none" means plain numbers. */
  readonly encoding: string;
};

/** Dimensions are strings ("7"), also for unknown sizes ("-1"). */
const shapeOf = (node: Node | undefined): number[] =>
  ((node?.dimensions as unknown[] | undefined) ?? []).map((size) => Number(size));

const numbers: Readonly<Record<string, Feature["dtype"]>> = {
  ...{ float32: "float32", float64: "float64", float16: "float32", bfloat16: "float32" },
  ...{ bool: "bool", string: "string", int64: "int64", int32: "int32", int16: "int32", int8: "int32" },
  ...{ uint8: "int32", uint16: "int32", uint32: "int64", uint64: "int64" },
};

/** RLDS paths as LeRobot would name them: "observation/image_0" is the camera "observation.images.image_0". */
function nameOf(path: readonly string[], isImage: boolean): string {
  if (!isImage) return path.join(".");
  return `observation.images.${path.filter((part) => part !== "observation").join(".")}`;
}

function visit(path: string, node: Node, above: readonly string[], found: StepFeature[]): void {
  const dict = node.featuresDict as { features?: Record<string, Node> } | undefined;
  if (dict?.features) {
    for (const [name, child] of Object.entries(dict.features)) visit(path, child, [...above, name], found);
    return;
  }
  const key = `steps/${above.join("/")}`;
  const image = node.image as { shape?: Node } | undefined;
  const tensor = node.tensor as { shape?: Node; dtype?: string; encoding?: string } | undefined;
  if (image) {
    const feature: Feature = { dtype: "image", shape: shapeOf(image.shape), names: ["height", "width", "channels"] };
    found.push({ key, name: nameOf(above, true), feature, encoding: "image" });
  } else if (node.text) {
    found.push({
      key,
      name: nameOf(above, false),
      feature: { dtype: "string", shape: [1], names: null },
      encoding: "none",
    });
  } else if (tensor) {
    const dtype = numbers[tensor.dtype ?? ""];
    if (!dtype) throw new FormatError(path, `${above.join("/")}: dtype "${tensor.dtype}" is not known.`);
    const shape = shapeOf(tensor.shape);
    const feature: Feature = { dtype, shape: shape.length === 0 ? [1] : shape, names: null };
    found.push({ key, name: nameOf(above, false), feature, encoding: tensor.encoding ?? "none" });
  }
}

/**
 * Lists the arrays of a step.
 *
 * @throws FormatError when the file does not describe episodes of steps
 */
export function stepFeatures(path: string, root: unknown): StepFeature[] {
  const features = (root as { featuresDict?: { features?: Record<string, Node> } } | null)?.featuresDict?.features;
  const steps = features?.steps as { sequence?: { feature?: Node } } | undefined;
  if (!steps?.sequence?.feature) {
    throw new FormatError(
      path,
      'must describe "steps" (an RLDS data set), but does not. Name the folder of one version.',
    );
  }
  const found: StepFeature[] = [];
  visit(path, steps.sequence.feature, [], found);
  return found;
}
