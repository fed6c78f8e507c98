import type { Policy } from "#core/contracts/policy.ts";
import { createPolicy, openPolicyModel } from "#lapa/finetune/index.ts";
import { isPolicyUrl, openRemotePolicy } from "#robot-bridge/index.ts";
import type { Context } from "./command.ts";
import { openEngine } from "./training.ts";

export type OpenedPolicy = { readonly policy: Policy; close(): Promise<void> };

/** A checkpoint of ours, which answers up to `batch` observations at once, or the address of a policy server. */
export async function openPolicy(
  where: string,
  engine: Parameters<typeof openEngine>[0],
  context: Context,
  batch = 1,
): Promise<OpenedPolicy> {
  if (isPolicyUrl(where)) {
    const policy = await openRemotePolicy({ url: where });
    return { policy, close: () => policy.close() };
  }
  const model = await openPolicyModel(where);
  const executor = await openEngine(engine, context);
  const policy = createPolicy(model, executor, batch);
  const close = async () => {
    await policy.dispose();
    await executor.dispose();
  };
  return { policy, close };
}
