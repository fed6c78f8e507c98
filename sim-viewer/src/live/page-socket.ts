import type { FeedSocket, FeedTime, SocketEvents } from "./robot-feed.ts";

/** The browser's own clock and timers. */
export const pageTime: FeedTime = {
  nowMs: () => performance.now(),
  after(durationMs, act) {
    const timer = setTimeout(act, durationMs);
    return () => clearTimeout(timer);
  },
};

/** The browser's own websocket; binary messages, which rosbridge sends for CBOR alone, are passed over. */
export function openPageSocket(url: string, { opened, received, closed }: SocketEvents): FeedSocket {
  const socket = new WebSocket(url);
  const silence = new AbortController();
  const { signal } = silence;
  socket.addEventListener("open", opened, { signal });
  socket.addEventListener("close", closed, { signal });
  socket.addEventListener("message", ({ data }) => typeof data === "string" && received(data), { signal });
  return {
    send: (text) => socket.send(text),
    close() {
      silence.abort();
      socket.close();
    },
  };
}
