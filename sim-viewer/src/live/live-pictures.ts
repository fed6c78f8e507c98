import type { CompressedImage } from "#robot-bridge/protocol/messages.ts";
import { element } from "../panels/dom.ts";

export type LivePictures = {
  readonly root: HTMLElement;
  show(topic: string, image: CompressedImage): void;
  isEmpty(): boolean;
  clear(): void;
};

type Screen = { readonly canvas: HTMLCanvasElement; isBusy: boolean; next: CompressedImage | null };

/** The newest picture of each camera topic; one that comes while another is decoded replaces those that wait. */
export function createLivePictures(): LivePictures {
  const root = element("section", { class: "pictures", "aria-label": "Camera pictures" });
  const screens = new Map<string, Screen>();

  const makeScreen = (topic: string): Screen => {
    const canvas = element("canvas", { class: "drawn", role: "img", "aria-label": `Camera ${topic}` });
    const name = topic.replace(/^\/|\/compressed$/g, "");
    root.append(
      element(
        "figure",
        { class: "picture" },
        element("div", { class: "picture-frame" }, canvas),
        element("figcaption", { title: topic }, name),
      ),
    );
    return { canvas, isBusy: false, next: null };
  };
  const draw = async (screen: Screen) => {
    const image = screen.next;
    if (screen.isBusy || !image) return;
    screen.isBusy = true;
    screen.next = null;
    try {
      const bitmap = await createImageBitmap(new Blob([Uint8Array.from(image.data)]));
      Object.assign(screen.canvas, { width: bitmap.width, height: bitmap.height });
      screen.canvas.getContext("2d")?.drawImage(bitmap, 0, 0);
      bitmap.close();
      screen.canvas.title = "";
    } catch {
      screen.canvas.title = `A picture of the format "${image.format}" could not be decoded.`;
    }
    screen.isBusy = false;
    void draw(screen);
  };
  return {
    root,
    isEmpty: () => screens.size === 0,
    show(topic, image) {
      if (!screens.has(topic)) screens.set(topic, makeScreen(topic));
      const screen = screens.get(topic)!;
      screen.next = image;
      void draw(screen);
    },
    clear() {
      screens.clear();
      root.replaceChildren();
    },
  };
}
