import type { Feature } from "#core/contracts/episode.ts";
import { ConfigError } from "#core/errors.ts";
import { createLeRobotWriter, type LeRobotWriter } from "#datasets/lerobot/index.ts";
import type { SimulatedEpisode } from "../episode.ts";
import { findEmbodiment } from "../suites/index.ts";

const featureOf = (camera: string) => `observation.images.${camera}`;

type DemonstrationOptions = {
  readonly directory: string;
  /** The set is a part of one that `joinLeRobot` will write, default false. */
  readonly isPart?: boolean;
  readonly signal?: AbortSignal;
};

/**
 * Writes episodes of a robot as a LeRobot v3.0 data set (a part: v2.1, an episode a file) with all their cameras. Row t holds
 * the picture, the state and the action that was sent then; the last picture, after which nothing was sent, is left out.
 *
 * @returns number of episodes and rows
 */
export async function writeDemonstrations(
  episodes: AsyncIterable<SimulatedEpisode>,
  options: DemonstrationOptions,
): Promise<{ episodes: number; frames: number }> {
  const written = { episodes: 0, frames: 0 };
  let writer: LeRobotWriter | undefined;
  try {
    for await (const episode of episodes) {
      writer ??= await openWriter(episode, options);
      await writeEpisode(writer, episode);
      written.episodes += 1;
      written.frames += episode.length - 1;
    }
    await writer?.finish();
    return written;
  } catch (error) {
    await writer?.abort();
    throw error;
  }
}

function openWriter(
  episode: SimulatedEpisode,
  { directory, isPart = false, signal }: DemonstrationOptions,
): Promise<LeRobotWriter> {
  const { instance, size, rateHz, rendererId, pictures } = episode;
  const { space, stateNames, stateUnits } = findEmbodiment(instance.embodiment, instance.suite);
  const numbers = (names: readonly string[]): Feature => ({
    dtype: "float32",
    shape: [names.length],
    names: [...names],
  });
  const video: Feature = { dtype: "video", shape: [size, size, 3], names: ["height", "width", "channels"] };
  return createLeRobotWriter(directory, {
    ...{ version: isPart ? "v2.1" : "v3.0", fps: rateHz, isPart },
    robotType: `simulated-${instance.embodiment}`,
    features: {
      action: numbers(space.names),
      "observation.state": numbers(stateNames),
      ...Object.fromEntries(Object.keys(pictures).map((camera) => [featureOf(camera), video])),
    },
    metadata: {
      actionSpace: space,
      embodiment: instance.embodiment,
      suite: instance.suite,
      renderer: rendererId,
      stateUnits,
    },
    ...(signal ? { signal } : {}),
  });
}

async function writeEpisode(writer: LeRobotWriter, episode: SimulatedEpisode): Promise<void> {
  const { instance, pictures, states, actions, length, rateHz, size } = episode;
  if (states === null || actions === null) {
    throw new ConfigError(
      `embodiment: must record actions for a data set of demonstrations, but "${instance.embodiment}" does not. Write videos of it.`,
    );
  }
  const pixels = size * size * 3;
  const row = (values: Float32Array, frame: number) => {
    const width = values.length / length;
    return values.subarray(frame * width, (frame + 1) * width);
  };
  await writer.startEpisode(instance.instruction);
  for (let frame = 0; frame < length - 1; frame++) {
    const images = Object.entries(pictures).map(([camera, frames]) => {
      const data = frames.subarray(frame * pixels, (frame + 1) * pixels);
      return [featureOf(camera), { data, height: size, width: size }] as const;
    });
    await writer.addFrame({
      timestampS: frame / rateHz,
      values: { action: row(actions, frame), "observation.state": row(states, frame) },
      images: Object.fromEntries(images),
    });
  }
  await writer.endEpisode();
}
