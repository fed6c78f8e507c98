/** @file The table of all commands; each is loaded when it is asked for. */
import type { Command } from "./command.ts";

type Load = () => Promise<Command>;

/** The command is the file's export of the given name; the cast forgets the type of its configuration. */
const from = async (file: Promise<Record<string, unknown>>, name: string) => (await file)[name] as Command;

export const commands: Readonly<Record<string, Load>> = {
  demo: () => from(import("./demo/command.ts"), "demo"),
  "datasets simulate": () => from(import("./datasets/simulate.ts"), "simulate"),
  "datasets info": () => from(import("./datasets/info.ts"), "info"),
  "datasets check": () => from(import("./datasets/check.ts"), "check"),
  "datasets convert": () => from(import("./datasets/convert.ts"), "convert"),
  "datasets clips": () => from(import("./datasets/clips.ts"), "clips"),
  "datasets merge": () => from(import("./datasets/merge.ts"), "merge"),
  "datasets repair": () => from(import("./datasets/repair.ts"), "repair"),
  "datasets export": () => from(import("./datasets/export.ts"), "exportCommand"),
  "quantizer train": () => from(import("./quantizer/train.ts"), "trainQuantizerCommand"),
  "quantizer evaluate": () => from(import("./quantizer/evaluate.ts"), "evaluateQuantizerCommand"),
  "quantizer label": () => from(import("./quantizer/label.ts"), "labelCommand"),
  "latent-vla train": () => from(import("./latent-vla/train.ts"), "trainLatentVlaCommand"),
  "finetune train": () => from(import("./finetune/train.ts"), "finetuneCommand"),
  "finetune evaluate": () => from(import("./finetune/evaluate.ts"), "evaluateActionsCommand"),
  "finetune export": () => from(import("./finetune/export.ts"), "exportPolicyCommand"),
  "world evaluate": () => from(import("./world/evaluate.ts"), "evaluateCommand"),
  "world record": () => from(import("./world/record.ts"), "recordCommand"),
  "world gallery": () => from(import("./world/gallery.ts"), "galleryCommand"),
  "world draw": () => from(import("./world/draw.ts"), "drawCommand"),
  "bridge run": () => from(import("./bridge/run.ts"), "bridgeRun"),
  "bridge simulate": () => from(import("./bridge/simulate.ts"), "bridgeSimulate"),
  "bridge stop": () => from(import("./bridge/stop.ts"), "bridgeStop"),
  "bridge record": () => from(import("./bridge/record.ts"), "bridgeRecord"),
  "bridge serve": () => from(import("./bridge/serve.ts"), "bridgeServe"),
  viewer: () => from(import("./viewer/command.ts"), "viewer"),
  "engine compile-check": () => from(import("./engine/compile-check.ts"), "engineCompileCheck"),
  "engine setup": () => from(import("./engine/setup.ts"), "engineSetup"),
  "bench bridge": () => from(import("./bench/bridge.ts"), "benchBridge"),
  "bench train-step": () => from(import("./bench/train-step.ts"), "benchTrainStep"),
  "bench lapa-codes": () => from(import("./bench/lapa-codes.ts"), "benchLapaCodes"),
  "bench lapa-step": () => from(import("./bench/lapa-step.ts"), "benchLapaStep"),
  "bench video": () => from(import("./bench/video.ts"), "benchVideo"),
  "bench formats": () => from(import("./bench/formats.ts"), "benchFormats"),
  "bench shards": () => from(import("./bench/shards.ts"), "benchShards"),
  "bench lapa-human-video": () => from(import("./bench/lapa-human-video.ts"), "benchLapaHumanVideo"),
  "bench lapa-real-robots": () => from(import("./bench/lapa-real-robots.ts"), "benchLapaRealRobots"),
  "bench lapa": () => from(import("./bench/lapa.ts"), "benchLapa"),
  "bench world": () => from(import("./bench/world.ts"), "benchWorld"),
  doctor: () => from(import("./doctor.ts"), "doctor"),
};
