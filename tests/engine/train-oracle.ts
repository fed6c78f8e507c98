/**
 * @file Trains a preset on the oracle and leaves losses and weights in a file. A process of its own: inside of Jest's
 * context TensorFlow.js takes five times as long. Usage: train-oracle.ts PRESET BATCH STEPS FILE
 */
import { writeFileSync } from "node:fs";
import { serialize } from "node:v8";
import { createExecutor } from "#engine/index.ts";
import { presetTrainings, runTraining } from "./preset-trainings.ts";

const [name, batch, steps, file] = process.argv.slice(2);
const executor = await createExecutor({ kind: "cpu" });
const training = presetTrainings(Number(batch)).find((preset) => preset.name === name)!;
writeFileSync(file!, serialize(await runTraining(training, executor, Number(steps))));
await executor.dispose();
