import { chmodSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "@jest/globals";
import { UserError } from "#core/errors.ts";
import { findFfmpeg } from "#datasets/video/ffmpeg.ts";
import { temporaryFolder } from "../make-video.ts";

const folder = temporaryFolder();

describe("findFfmpeg", () => {
  afterEach(() => {
    delete process.env.FFMPEG_PATH;
  });

  it("refuses an FFMPEG_PATH that names nothing, instead of taking another", async () => {
    process.env.FFMPEG_PATH = join(folder, "nothing");
    await expect(findFfmpeg()).rejects.toThrow(
      `ffmpeg: FFMPEG_PATH must name a program, got "${join(folder, "nothing")}"`,
    );
  });

  it("says when the program does not run", async () => {
    const broken = join(folder, "broken");
    writeFileSync(broken, "#!/bin/sh\nexit 3\n");
    chmodSync(broken, 0o755);
    process.env.FFMPEG_PATH = broken;
    await expect(findFfmpeg()).rejects.toThrow(UserError);
  });

  it.each([
    ["56. 24.101", "-vsync"],
    ["57. 17.100", "-vsync"],
    ["57. 28.100", "-fps_mode"],
    ["60.  8.100", "-fps_mode"],
  ])("takes the option that libavutil %s knows to keep frame times", async (version, option) => {
    const fake = join(folder, `fake-${version.replaceAll(/\W+/g, "-")}`);
    writeFileSync(fake, `#!/bin/sh\necho "ffmpeg version x"\necho "libavutil      ${version} / ${version}"\n`);
    chmodSync(fake, 0o755);
    process.env.FFMPEG_PATH = fake;
    const { findFfmpeg: find } = (await import(`#datasets/video/ffmpeg.ts?${version}`).catch(
      () => import("#datasets/video/ffmpeg.ts"),
    )) as typeof import("#datasets/video/ffmpeg.ts");
    const found = await find();
    expect(found.version).toBe("ffmpeg version x");
    expect(found.passthrough).toEqual([option, "passthrough"]);
  });
});
