/** @file The engine's side of the link: answers one request after the other, in the order they came. */
import type { CreateRequest, Facts, HostData, Reply, Request } from "./messages.ts";

/** One compiled function with its state; `state` and results may be views that the next call overwrites. */
export type HostProgram = {
  run(inputs: readonly HostData[]): Promise<readonly HostData[]>;
  state(): Promise<readonly HostData[]>;
  load(state: readonly HostData[]): Promise<void>;
  dispose(): Promise<void>;
};

export type HostEngine<Model> = {
  readonly facts?: Facts;
  create(request: CreateRequest<Model>): Promise<HostProgram>;
  /** Makes one sentence of what a library reports. */
  explain?(error: Error): string;
};

/**
 * Serves an engine to the process that started this one, until that process lets go.
 *
 * @param open loads the library; `settings` are those given to `startHost`
 */
export async function serveEngine<Model, Settings>(
  open: (settings: Settings) => Promise<HostEngine<Model>>,
): Promise<void> {
  const say = (reply: Reply) => process.send!(reply);
  // The trainer is gone, whatever the reason. Exit handlers of libraries with running threads may hang: none runs.
  process.on("disconnect", () => process.kill(process.pid, "SIGKILL"));
  // Ctrl-C and a scheduler's end go to the whole group; the trainer saves first and then lets go.
  for (const signal of ["SIGINT", "SIGTERM"]) process.on(signal, () => {});

  let engine: HostEngine<Model>;
  try {
    engine = await open(JSON.parse(process.argv[2] ?? "{}") as Settings);
  } catch (error) {
    process.send!({ id: 0, error: (error as Error).message } satisfies Reply, () => process.exit(1));
    return;
  }
  const programs = new Map<number, HostProgram>();
  const explain = (error: unknown) => {
    if (!(error instanceof Error)) return String(error);
    return engine.explain?.(error) ?? error.message;
  };

  async function answer(request: Request<Model>): Promise<readonly HostData[]> {
    if (request.method === "create") {
      programs.set(request.handle, await engine.create(request));
      return [];
    }
    const program = programs.get(request.handle);
    if (program === undefined) throw new Error(`no program has handle ${request.handle}`);
    if (request.method === "run") return program.run(request.inputs);
    if (request.method === "state") return program.state();
    if (request.method === "load") await program.load(request.state);
    else {
      programs.delete(request.handle);
      await program.dispose();
    }
    return [];
  }

  let last: Promise<void> = Promise.resolve();
  process.on("message", ({ id, request }: { id: number; request: Request<Model> }) => {
    last = last.then(async () => {
      const start = performance.now();
      try {
        const result = await answer(request);
        say({ id, result, computeMs: performance.now() - start });
      } catch (error) {
        say({ id, error: explain(error) });
      }
    });
  });
  say({ id: 0, result: [], computeMs: 0, ...(engine.facts === undefined ? {} : { facts: engine.facts }) });
}
