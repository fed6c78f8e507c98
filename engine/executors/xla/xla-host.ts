/** @file The child process: holds a PJRT plugin, compiled programs and their state on the device. */
import type { CreateRequest, HostData, StateValue } from "../host/messages.ts";
import { type HostProgram, serveEngine } from "../host/serve.ts";
import { createExecutableCache, type ExecutableCache } from "./executable-cache.ts";
import { PjrtError } from "./pjrt-api.ts";
import { type BufferHandle, type CompilerFlags, compileOptions, PjrtClient } from "./pjrt-client.ts";

export type XlaSettings = {
  readonly plugin: string;
  readonly programFolder: string;
  readonly flags: CompilerFlags;
};

export type XlaHostModel = { readonly text: string };

async function create(
  client: PjrtClient,
  cache: ExecutableCache,
  flags: CompilerFlags,
  { model, inputs, outputs, state }: CreateRequest<XlaHostModel>,
): Promise<HostProgram> {
  const code = Buffer.from(model.text);
  const options = compileOptions(flags);
  const executable = await cache.load(client, code, options);
  const leaves = state.map(({ data: _, ...leaf }): Omit<StateValue, "data"> => leaf);
  const changing = leaves.flatMap((leaf, index) => (leaf.next === undefined ? [] : [index]));
  const launch = executable.launcher(state.length + inputs.length, outputs.length + changing.length);
  const resident: BufferHandle[] = state.map((leaf) => client.upload(leaf, leaf.data));
  const isLost = () => changing.some((index) => client.isDeleted(resident[index]!));

  return {
    async run(values) {
      if (isLost()) throw new Error("a run failed half-way and took the state along. Go on from the last checkpoint.");
      const fed = inputs.map((value, index) => client.upload(value, values[index]!));
      let results: BufferHandle[];
      try {
        results = await launch([...resident, ...fed]);
      } finally {
        for (const buffer of fed) client.free(buffer);
      }
      changing.forEach((leaf, place) => {
        // Its memory went to the result; only the handle is left.
        client.free(resident[leaf]!);
        resident[leaf] = results[outputs.length + place]!;
      });
      const read: HostData[] = outputs.map((value, index) => client.download(results[index]!, value));
      for (const buffer of results.slice(0, outputs.length)) client.free(buffer);
      return read;
    },
    state: async () => leaves.map((leaf, index) => client.download(resident[index]!, leaf)),
    async load(values) {
      leaves.forEach((leaf, index) => {
        client.free(resident[index]!);
        resident[index] = client.upload(leaf, values[index]!);
      });
    },
    async dispose() {
      for (const buffer of resident) client.free(buffer);
      executable.destroy();
    },
  };
}

const resourceExhausted = 8;

await serveEngine<XlaHostModel, XlaSettings>(async ({ plugin, programFolder, flags }) => {
  const client = new PjrtClient(plugin);
  const cache = createExecutableCache(programFolder, client);
  const { api, platform, deviceKind, deviceCount } = client;
  return {
    facts: { platform, device: deviceKind, devices: String(deviceCount), api: api.version },
    create: (request) => create(client, cache, flags, request),
    explain(error) {
      const [line] = error.message.split("\n");
      if (!(error instanceof PjrtError) || error.code !== resourceExhausted) return line!;
      return `the ${deviceKind} has not enough memory. Take a smaller batch or model. ${line}`;
    },
  };
});
