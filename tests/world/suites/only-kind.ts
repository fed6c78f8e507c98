import { pickKinds } from "#world/suites/pick-place/config.ts";
import { chooseSuite } from "#world/suites/presets.ts";
import { taskKinds } from "#world/suites/push/config.ts";

export const kindsOf = { push: taskKinds, "pick-place": pickKinds } as const;

/** A whole suite that asks one kind of task alone. */
export const onlyKind = (suite: keyof typeof kindsOf, kind: string) =>
  chooseSuite({
    suite,
    changes: { kinds: Object.fromEntries(kindsOf[suite].map((name) => [name, +(name === kind)])) },
  });
