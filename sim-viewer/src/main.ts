import "./style.css";
import "./without-eval.ts";
import { createApp } from "./app.ts";
import { watchCatalog } from "./episode/api.ts";

const app = createApp(document.querySelector<HTMLElement>("#app")!);

watchCatalog(app.showCatalog, app.showProblem);
