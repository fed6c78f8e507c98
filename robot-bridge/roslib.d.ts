/**
 * @file The part of roslib 2.1.0 that is used here. Its own declarations re-export without file extensions, which
 * `moduleResolution: nodenext` cannot follow.
 */
declare module "roslib" {
  export type RosbridgeMessage = { readonly op: string; readonly [key: string]: unknown };

  export interface ITransport {
    on(event: "open" | "close" | "error", listener: (event: unknown) => void): this;
    on(event: "message", listener: (message: RosbridgeMessage) => void): this;
    send(message: RosbridgeMessage): void;
    close(): void;
    isConnecting(): boolean;
    isOpen(): boolean;
    isClosing(): boolean;
    isClosed(): boolean;
  }

  export type ITransportFactory = (url: string) => Promise<ITransport>;

  export class Ros {
    constructor(options?: { url?: string; transportFactory?: ITransportFactory });
    get isConnected(): boolean;
    connect(url: string): Promise<void>;
    close(): void;
    callOnConnection(message: RosbridgeMessage): void;
    on(event: string, listener: (argument: never) => void): this;
    once(event: string, listener: (argument: never) => void): this;
    removeAllListeners(event?: string): this;
  }

  export class Topic<T = unknown> {
    constructor(options: {
      ros: Ros;
      name: string;
      messageType: string;
      compression?: string;
      throttle_rate?: number;
      queue_size?: number;
      queue_length?: number;
      latch?: boolean;
      reconnect_on_close?: boolean;
    });
    subscribe(callback: (message: T) => void): void;
    unsubscribe(callback?: (message: T) => void): void;
    advertise(): void;
    unadvertise(): void;
    publish(message: T): void;
    removeAllListeners(event?: string): this;
  }

  export class Service<Request = unknown, Response = unknown> {
    constructor(options: { ros: Ros; name: string; serviceType: string });
    callService(
      request: Request,
      callback?: (response: Response) => void,
      failedCallback?: (error: string) => void,
      timeoutS?: number,
    ): void;
    advertise(callback: (request: Request, response: Record<string, unknown>) => boolean): Promise<void>;
  }
}
