import type { ServiceHandler } from "../rosbridge/service-table.ts";
import type { BusMessage, Listener } from "../rosbridge/topic-bus.ts";

/** The robot's side of a transport: what a simulated arm publishes on and listens to. */
export interface ArmServer {
  /** @throws RobotError when it cannot be reached or started */
  listen(): Promise<{ readonly url: string }>;
  advertise(topic: string, type: string): void;
  publish(topic: string, message: BusMessage, options?: { readonly latch?: boolean }): void;
  subscribe(topic: string, type: string, listener: Listener): () => void;
  provide(name: string, handler: ServiceHandler): void;
  /** How many listen to a topic, where that is known; else 1. */
  listeners(topic: string): number;
  close(): Promise<void>;
}
