/** The import law of the repository: who may import whom (docs/architecture.md). Each row becomes one forbidden rule. */
const mayImport = {
  core: [],
  engine: ["core"],
  datasets: ["core"],
  world: ["core", "datasets"],
  "lapa/quantizer": ["core", "engine", "datasets"],
  "lapa/latent-vla": ["core", "engine", "datasets", "lapa/quantizer/index.ts"],
  "lapa/finetune": ["core", "engine", "datasets", "lapa/quantizer/index.ts", "lapa/latent-vla/index.ts"],
  magma: ["core", "engine", "datasets", "lapa/latent-vla/index.ts"],
  "robot-bridge": ["core", "datasets", "world/index.ts"],
  "sim-viewer": ["core/contracts", "core/geometry", "robot-bridge/protocol", "world/scene"],
  cli: ["core", "engine", "datasets", "world", "lapa", "magma", "robot-bridge", "sim-viewer", "benchmarks"],
};

const folders = Object.keys(mayImport);
const product = "^(core|engine|datasets|world|lapa|magma|robot-bridge|sim-viewer|cli|benchmarks|tests)/";

module.exports = {
  forbidden: [
    ...folders.map((folder) => {
      const allowed = [folder, ...mayImport[folder]];
      return {
        name: `${folder} may import only: itself${mayImport[folder].map((row) => `, ${row}`).join("")}`,
        severity: "error",
        from: { path: `^${folder}/` },
        to: { path: product, pathNot: allowed.map((row) => (row.endsWith(".ts") ? `^${row}$` : `^${row}/`)) },
      };
    }),
    { name: "no cycles", severity: "error", from: { path: product }, to: { circular: true } },
    {
      name: "no Node built-ins in browser code",
      severity: "error",
      from: {
        path: "^(sim-viewer/src|core/contracts|core/geometry|robot-bridge/protocol|world/(scene|raster|suites|tabletop|embodiments)|world/(rollout|replay)[.]ts$)",
      },
      to: { dependencyTypes: ["core"] },
    },
    {
      name: "no file or folder called utils, helpers, common or misc",
      severity: "error",
      from: {},
      to: { path: "/(utils|helpers|common|misc)(/|[.]ts$)", pathNot: "node_modules" },
    },
  ],
  options: {
    doNotFollow: { path: "node_modules" },
    parser: "swc",
    tsConfig: { fileName: "tsconfig.json" },
    enhancedResolveOptions: { exportsFields: ["exports"], conditionNames: ["import", "node", "default"] },
  },
};
