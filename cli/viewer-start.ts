import { stat } from "node:fs/promises";
import { UserError } from "#core/errors.ts";
import { loadPage } from "./viewer-build.ts";
import { createLibrary, isEpisodeFile } from "./viewer-library.ts";
import { closeServer, createViewerServer, isLoopback, listen } from "./viewer-server.ts";

/** The viewer's usual port. */
export const viewerPort = 5180;

export type ViewerOptions = {
  /**
   * Folders that hold rollouts, recordings (MCAP) or data sets (LeRobot, RLDS, HDF5), up to four levels deep; or single
   * `*.rollout`, `*.mcap` or `*.hdf5` files.
   */
  readonly paths: readonly string[];
  /** Address of a rosbridge ("ws://127.0.0.1:9090", with `?token=` where it asks for one) whose robot is shown live. */
  readonly robot?: string;
  /** 0: any free one. */
  readonly port?: number;
  readonly host?: string;
  /** Must be set for any host but this machine's loopback: everybody who reaches the port can then see the episodes. */
  readonly allowRemote?: boolean;
  readonly log?: (line: string) => void;
};

export type RunningViewer = { readonly url: string; close(): Promise<void> };

async function expectPaths(paths: readonly string[], robot: string | undefined): Promise<void> {
  if (paths.length === 0 && robot === undefined)
    throw new UserError("viewer.paths: must name a folder, got none. Pass the folder of a run.");
  for (const path of paths) {
    const info = await stat(path).catch(() => null);
    if (info?.isDirectory() || (info?.isFile() && isEpisodeFile(path))) continue;
    const what = info ? "which is neither" : "which does not exist";
    throw new UserError(
      `viewer.paths: must be a folder, a *.rollout, *.mcap or *.hdf5 file, got "${path}", ${what}. Check its spelling.`,
    );
  }
}

function expectRobot(address: string, host: string): void {
  const isSocket = URL.canParse(address) && ["ws:", "wss:"].includes(new URL(address).protocol);
  if (!isSocket) {
    throw new UserError(
      `viewer.robot: must be the address of a rosbridge, got "${address}". Pass one like ws://127.0.0.1:9090.`,
    );
  }
  // The page has the token to connect; whoever has it can move the robot.
  if (!isLoopback(host) && new URL(address).search !== "") {
    throw new UserError(
      `viewer.robot: must have no token where others can open the viewer (host "${host}"), got one. Pass --host 127.0.0.1.`,
    );
  }
}

/**
 * Starts the viewer: builds the page if its sources changed (some seconds), and serves it with what `paths` hold.
 *
 * @throws UserError when a path is not there, the port is in use, or the host is another than loopback and
 *   `allowRemote` is not set
 */
export async function startViewer(options: ViewerOptions): Promise<RunningViewer> {
  const { paths, port = viewerPort, host = "127.0.0.1", allowRemote = false, robot, log = () => {} } = options;
  if (!isLoopback(host) && !allowRemote) {
    throw new UserError(
      `viewer.host: must be 127.0.0.1, got "${host}", where others could see the episodes. Pass --allowRemote to mean it.`,
    );
  }
  await expectPaths(paths, robot);
  if (robot !== undefined) expectRobot(robot, host);
  const page = await loadPage(() => log("viewer: building the page (some seconds, once)"));
  const library = createLibrary(paths);
  const server = createViewerServer(library, page, { isPublic: !isLoopback(host), robot: robot ?? null });
  const bound = await listen(server, host, port);
  const name = host.includes(":") ? `[${host}]` : host;
  return {
    url: `http://${name}:${bound}/`,
    async close() {
      await closeServer(server);
      await library.close();
    },
  };
}
