import type { InputSpec } from "#engine/index.ts";
import type { PolicyModel } from "./policy-model.ts";

export type CardFacts = {
  readonly inputs: Readonly<Record<string, InputSpec>>;
  readonly sha256: string;
  readonly largestDifference: number;
};

const list = (values: readonly number[]) => `[${values.join(", ")}]`;

function inputRows({ inputs }: CardFacts, { camera, backbone, vocabulary }: PolicyModel): string[] {
  const meanings: Record<string, string> = {
    images:
      backbone.stem === "encoder"
        ? `what the frozen encoder (SHA-256 ${backbone.imageEncoder.sha256.slice(0, 16)}) gives for the picture of camera "${camera}"`
        : `picture of camera "${camera}", RGB, rows from the top, 0 to 255`,
    words:
      backbone.textEncoder.file === ""
        ? `instruction as tokens of the vocabulary (${vocabulary.length} words) in statistics.json`
        : `what the frozen sentence encoder (SHA-256 ${backbone.textEncoder.sha256.slice(0, 16)}) gives, zero behind the end`,
    previous: `latent action said one offset ago; ${backbone.codebookSize} everywhere: none`,
    noise: "standard normal numbers, fresh for every call",
  };
  return Object.entries(inputs).map(
    ([name, { dtype, shape }]) => `| \`${name}\` | ${dtype}${list(shape)} | ${meanings[name]} |`,
  );
}

function actionRows({ space }: PolicyModel): string[] {
  return space.names.map((name, index) => {
    const { low, high } = space.limits;
    const gripper = space.gripper === index ? " (gripper)" : "";
    return `| ${index} | ${name}${gripper} | ${space.units[index]} | ${low[index]!.toPrecision(4)} | ${high[index]!.toPrecision(4)} |`;
  });
}

const pythonFeeds = ({ backbone, head, parameters, space }: PolicyModel): string =>
  [
    parameters.previous
      ? `feeds["previous"] = np.full((1, ${backbone.codesPerStep}), ${backbone.codebookSize}, np.int32)`
      : "",
    head.kind === "flow"
      ? `feeds["noise"] = np.random.default_rng().standard_normal((1, ${head.chunkLength}, ${space.names.length})).astype(np.float32)`
      : "",
  ]
    .filter((line) => line !== "")
    .map((line) => `${line}\n`)
    .join("");

function pythonExample(model: PolicyModel): string {
  return `import json, re, sys, unicodedata
import numpy as np
import onnxruntime as ort

session = ort.InferenceSession("policy.onnx")
facts = json.loads(session.get_modelmeta().custom_metadata_map["armature"])

def words(text):
    vocabulary = {word: token for token, word in enumerate(facts["instruction"]["vocabulary"])}
    found = re.findall(r"[^\\W_]+", unicodedata.normalize("NFKC", text.lower()))
    length = facts["instruction"]["length"]
    assert len(found) <= length, f"at most {length} words"
    tokens = [vocabulary.get(word, facts["instruction"]["unknown"]) for word in found]
    return np.array([tokens + [facts["instruction"]["padding"]] * (length - len(tokens))], np.int32)

def act(picture, instruction):  # uint8[height, width, 3] and a sentence
    feeds = {"images": picture[None], "words": words(instruction)}
${pythonFeeds(model).replace(/^/gm, "    ").trimEnd()}
    return session.run(["actions"], feeds)[0][0]  # float32[chunk, dimensions], raw units
`.replace(/\n {4}\n/, "\n");
}

/** The README.md of an exported policy. */
export function modelCard(model: PolicyModel, facts: CardFacts): string {
  const { policyId, space, head, rateHz, backbone, provenance, latent, parameters } = model;
  const size = space.names.length;
  const isOwn = backbone.stem !== "encoder" && backbone.textEncoder.file === "";
  const metrics = Object.entries(provenance?.metrics ?? {}).map(([name, value]) => `${name} ${value.toPrecision(4)}`);
  return `# Policy ${policyId}

Picture and instruction in, the next ${head.chunkLength} actions at ${rateHz} Hz out. One ONNX file (opset 18 and com.microsoft) for ONNX
Runtime 1.14 or newer, batch 1. \`statistics.json\` holds what is around it; the same text is in the file's metadata under "armature".

## Inputs

| name | type | meaning |
|---|---|---|
${inputRows(facts, model).join("\n")}

## Outputs

\`actions\` float32[1, ${head.chunkLength}, ${size}]: row r is due r / ${rateHz} s after the picture was taken. Kind: ${space.kind}.
${parameters.previous && latent ? `\n\`latents\` int32[1, ${backbone.codesPerStep}]: give them back as \`previous\` ${latent.offsetS} s later.\n` : ""}
| dimension | name | unit | lowest | highest |
|---|---|---|---|---|
${actionRows(model).join("\n")}

The policy knows nothing of limits of speed or force, nor of people nearby: put a safety layer between it and a robot.

## Training

- data hash: ${provenance?.dataHash ?? "unknown"}
- parents: ${provenance?.parents.join(", ") || "none (from scratch)"}
- steps: ${provenance?.step ?? "unknown"}; code: ${provenance?.code ?? "unknown"}
- head: ${head.kind === "flow" ? `flow matching, ${head.flowSteps} Euler steps` : `at most ${head.bins} bins, ${head.order}, ${head.decoding}`}
- measured: ${metrics.join(", ") || "nothing"}

## Check

SHA-256 of policy.onnx: ${facts.sha256}. Compared with the engine that trained it on drawn inputs before this folder was written:
largest difference ${facts.largestDifference.toExponential(1)} of a dimension's span.
${
  isOwn
    ? `
## Python

\`\`\`python
${pythonExample(model)}\`\`\`
`
    : "\nThe frozen encoders run before this file; their SHA-256 are above and in statistics.json.\n"
}
## Browser

\`\`\`js
import * as ort from "onnxruntime-web";
const session = await ort.InferenceSession.create("policy.onnx");
const { actions } = await session.run({
${Object.entries(facts.inputs)
  .map(([name, { dtype, shape }]) => `  ${name}: new ort.Tensor("${dtype}", ${name}, ${list(shape)}),`)
  .join("\n")}
});
\`\`\`

## C++

\`\`\`cpp
Ort::Env env;
Ort::Session session(env, "policy.onnx", Ort::SessionOptions{});
const char* inputs[] = {${Object.keys(facts.inputs)
    .map((name) => `"${name}"`)
    .join(", ")}};
const char* outputs[] = {"actions"};
// tensors: one Ort::Value per input, shapes and types as in the table above
auto actions = session.Run(Ort::RunOptions{nullptr}, inputs, tensors.data(), tensors.size(), outputs, 1);
\`\`\`
`;
}
