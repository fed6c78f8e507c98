/** Fast suite: every *.test.ts but *.slow.test.ts; `JEST_SLOW=1` runs the slow ones alone. */
const slow = process.env.JEST_SLOW === "1";

export default {
  testEnvironment: "<rootDir>/tests/environment.js",
  extensionsToTreatAsEsm: [".ts"],
  testMatch: slow ? ["<rootDir>/tests/**/*.slow.test.ts"] : ["<rootDir>/tests/**/*.test.ts"],
  testPathIgnorePatterns: slow ? ["/node_modules/"] : ["/node_modules/", "\\.slow\\.test\\.ts$"],
  transform: {
    "\\.ts$": ["@swc/jest", { jsc: { parser: { syntax: "typescript" }, target: "es2022" }, module: { type: "es6" } }],
  },
  setupFilesAfterEnv: ["<rootDir>/tests/setup.ts"],
  testTimeout: slow ? 600_000 : 60_000,
  maxWorkers: 2,
};
