import { existsSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "@jest/globals";
import { runConformance } from "#benchmarks/datasets/mcap-conformance.ts";
import { sharedData } from "../judge.ts";

const suite = join(sharedData, "conformance/mcap");
const whereSuiteIs = existsSync(suite) ? describe : describe.skip;

whereSuiteIs("the MCAP project's conformance suite (needs ../shared/data)", () => {
  it("is read record by record as its 416 expected files say", async () => {
    const { total, failed } = await runConformance(suite);
    expect(total).toBe(416);
    expect(failed).toEqual([]);
  });
});
