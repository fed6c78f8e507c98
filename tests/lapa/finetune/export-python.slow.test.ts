import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it } from "@jest/globals";
import { createExecutor } from "#engine/index.ts";
import { exportPolicy } from "#lapa/finetune/export.ts";
import { createPolicy } from "#lapa/finetune/policy.ts";
import { smallPolicy } from "./small-policy.ts";

const hasPython = spawnSync("python3", ["-c", "import onnxruntime, numpy"]).status === 0;
const judge = hasPython ? it : it.skip;

judge.each([
  ["parallel", {}],
  ["autoregressive", { order: "autoregressive", decoding: "argmax" }],
])("the model card's Python acts as the policy does: %s (needs onnxruntime for python3)", async (name, head) => {
  const folder = mkdtempSync(join(tmpdir(), "armature-card-"));
  const executor = await createExecutor({ kind: "onnxruntime", threads: 1 });
  try {
    const model = smallPolicy(head);
    const out = join(folder, name);
    await exportPolicy(model, { folder: out, executor });
    const [, code] = /```python\n([\s\S]*?)```/.exec(readFileSync(join(out, "README.md"), "utf8"))!;
    const ask = `picture = (np.arange(16 * 16 * 3) * 7 % 256).astype(np.uint8).reshape(16, 16, 3)
print(json.dumps(act(picture, "Push, quickly!").ravel().tolist()))`;
    const said = JSON.parse(execFileSync("python3", ["-c", `${code}\n${ask}`], { cwd: out, encoding: "utf8" }));
    const pixels = Uint8Array.from({ length: 16 * 16 * 3 }, (_, index) => (index * 7) % 256);
    const images = { front: { data: pixels, height: 16, width: 16 } };
    const { actions } = await createPolicy(model, executor).infer({
      images,
      instruction: "Push, quickly!",
      stampNs: 0n,
    });
    expect(said).toBeAllClose(Array.from(actions));
  } finally {
    await executor.dispose();
    rmSync(folder, { recursive: true });
  }
});
