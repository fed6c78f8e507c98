/** @file Python's readers as judges of ours; absent where Python or its packages are not installed. */
import { execFileSync } from "node:child_process";
import { fileURLToPath } from "node:url";

const script = fileURLToPath(new URL("judge.py", import.meta.url));

/** Why the judges cannot be asked, or `undefined`. */
export const judgesMissing = ((): string | undefined => {
  try {
    execFileSync("python3", ["-c", "import av, cv2, numpy, pyarrow, datasets"], { stdio: "ignore" });
    return undefined;
  } catch {
    return "needs python3 with av, opencv-python-headless, numpy, pyarrow and datasets";
  }
})();

export const judge = <T>(...args: string[]): T =>
  JSON.parse(
    execFileSync("python3", [script, ...args], { maxBuffer: 2 ** 30, stdio: ["ignore", "pipe", "ignore"] }).toString(),
  ) as T;

export const sharedData = fileURLToPath(new URL("../../../shared/data", import.meta.url));
