import "./style.css";
import { fetchCatalog } from "./api.ts";
import { createApp } from "./app.ts";

const root = document.querySelector<HTMLElement>("#app")!;
const app = createApp(root);

fetchCatalog().then(
  (catalog) => app.showCatalog(catalog),
  (error: Error) => app.showProblem(error.message),
);
