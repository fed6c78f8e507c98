/** @file A process of its own that replays the rollout it is given and prints how it went. */
import { readRollout } from "#world/index.ts";
import { replayRollout } from "#world/replay.ts";

console.log(JSON.stringify(await replayRollout(await readRollout(process.argv[2]!))));
