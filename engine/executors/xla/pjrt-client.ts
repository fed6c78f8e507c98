/** @file Devices, buffers and executables of a PJRT plugin. Handles are addresses; who makes one frees it. */
import { integer, message, text } from "../../protobuf.ts";
import type { HostData, HostValue } from "../host/messages.ts";
import { addressOf, allocate, PjrtApi, readMemory, Slots } from "./pjrt-api.ts";

/** PJRT_Buffer_Type */
const bufferTypes = { bool: 1, int32: 4, uint8: 6, float32: 11 } as const;
const arrays = { bool: Uint8Array, int32: Int32Array, uint8: Uint8Array, float32: Float32Array } as const;

export type BufferHandle = bigint;

export type ClientOption = string | number | boolean;
/** Overrides of XLA's debug options, by name. */
export type CompilerFlags = Readonly<Record<string, ClientOption>>;

/** PJRT_NamedValue: one row of 7 slots each. */
export function namedValues(options: Readonly<Record<string, ClientOption>>, keep: unknown[]): bigint {
  const width = 7;
  const entries = Object.entries(options);
  const rows = new BigUint64Array(allocate(entries.length * width * 8));
  entries.forEach(([key, value], index) => {
    const row = index * width;
    const name = new Slots(2).setBytes(0, Buffer.from(key));
    rows.set([BigInt(width * 8), 0n, name.get(0), name.get(1)], row);
    keep.push(name);
    if (typeof value === "string") {
      const held = new Slots(2).setBytes(0, Buffer.from(value));
      rows.set([0n, held.get(0), held.get(1)], row + 4);
      keep.push(held);
    } else if (typeof value === "boolean") rows.set([4n, value ? 1n : 0n, 1n], row + 4);
    else rows.set([1n, BigInt.asUintN(64, BigInt(value)), 1n], row + 4);
  });
  keep.push(rows);
  return addressOf(rows);
}

/** xla.CompileOptionsProto for one device. */
export function compileOptions(flags: CompilerFlags = {}): Uint8Array {
  const anyDevice = -1;
  const build = message(3, [integer(1, anyDevice), integer(4, 1), integer(5, 1)]);
  const overrides = Object.entries(flags).map(([name, value]) => {
    const held =
      typeof value === "string"
        ? text(1, value)
        : typeof value === "boolean"
          ? integer(2, value ? 1 : 0)
          : integer(3, value);
    return message(7, [text(1, name), message(2, [held])]);
  });
  return Buffer.concat([build, ...overrides]);
}

export function programStruct(code: Uint8Array): Slots {
  return new Slots(6).setBytes(2, code).setBytes(4, Buffer.from("mlir"));
}

export class PjrtClient {
  readonly api: PjrtApi;
  readonly platform: string;
  readonly platformVersion: string;
  readonly deviceKind: string;
  readonly deviceCount: number;
  private readonly client: bigint;
  private readonly device: bigint;

  constructor(path: string, options: Readonly<Record<string, ClientOption>> = {}) {
    this.api = new PjrtApi(path);
    const create = new Slots(11);
    create.set(2, namedValues(options, create.kept)).set(3, Object.keys(options).length);
    this.client = this.api.call("Client_Create", create).get(8);
    this.platform = this.api.text("Client_PlatformName", this.client);
    this.platformVersion = this.api.text("Client_PlatformVersion", this.client);
    const devices = this.api.call("Client_AddressableDevices", new Slots(5).set(2, this.client));
    this.deviceCount = Number(devices.get(4));
    if (this.deviceCount === 0) throw new Error("the plugin has no device here");
    this.device = readMemory(devices.get(3), 8).readBigUInt64LE();
    const description = this.api.call("Device_GetDescription", new Slots(4).set(2, this.device)).get(3);
    this.deviceKind = this.api.text("DeviceDescription_Kind", description);
  }

  async compile(code: Uint8Array, options: Uint8Array): Promise<PjrtExecutable> {
    const program = programStruct(code);
    const struct = new Slots(7).set(2, this.client).set(3, program.address).setBytes(4, options);
    struct.kept.push(program);
    await this.api.callAsync("Client_Compile", struct);
    return new PjrtExecutable(this.api, struct.get(6));
  }

  /** @throws PjrtError when the bytes are of another plugin */
  load(serialized: Uint8Array): PjrtExecutable {
    const struct = new Slots(8).set(2, this.client).setBytes(3, serialized);
    this.api.call("Executable_DeserializeAndLoad", struct);
    return new PjrtExecutable(this.api, struct.get(5));
  }

  /** Copies an array to the device. */
  upload({ type, shape }: HostValue, data: HostData): BufferHandle {
    const dimensions = new BigInt64Array(allocate(shape.length * 8));
    shape.forEach((size, axis) => {
      dimensions[axis] = BigInt(size);
    });
    const copiesBeforeReturning = 0;
    const memory = data.byteLength >= 128 ? data : new Uint8Array(allocate(data.byteLength));
    if (memory !== data) {
      (memory as Uint8Array).set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
    }
    const struct = new Slots(15)
      .set(2, this.client)
      .set(3, addressOf(memory))
      .set(4, bufferTypes[type])
      .set(5, addressOf(dimensions))
      .set(6, shape.length)
      .set(9, copiesBeforeReturning)
      .set(10, this.device);
    struct.kept.push(memory, dimensions);
    this.api.call("Client_BufferFromHostBuffer", struct);
    if (struct.get(13) !== 0n) this.finish(struct.get(13));
    return struct.get(14);
  }

  /** Copies a buffer to the host. */
  download(buffer: BufferHandle, { type, shape }: HostValue): HostData {
    const size = shape.reduce((product, count) => product * count, 1);
    const Type = arrays[type];
    const memory = allocate(size * Type.BYTES_PER_ELEMENT);
    if (size === 0) return new Type(memory, 0, 0);
    const struct = new Slots(7)
      .set(2, buffer)
      .set(4, addressOf(memory))
      .set(5, size * Type.BYTES_PER_ELEMENT);
    this.api.call("Buffer_ToHostBuffer", struct);
    this.finish(struct.get(6));
    return new Type(memory, 0, size);
  }

  free(buffer: BufferHandle): void {
    this.api.callOn("Buffer_Destroy", buffer);
  }

  isDeleted(buffer: BufferHandle): boolean {
    return (this.api.call("Buffer_IsDeleted", new Slots(4).set(2, buffer)).get(3) & 0xffn) !== 0n;
  }

  private finish(event: bigint): void {
    try {
      this.api.callOn("Event_Await", event);
    } finally {
      this.api.callOn("Event_Destroy", event);
    }
  }
}

export class PjrtExecutable {
  private readonly api: PjrtApi;
  private readonly loaded: bigint;
  private readonly executable: bigint;

  constructor(api: PjrtApi, loaded: bigint) {
    this.api = api;
    this.loaded = loaded;
    this.executable = api.call("LoadedExecutable_GetExecutable", new Slots(4).set(2, loaded)).get(3);
  }

  serialize(): Buffer {
    const struct = this.api.call("Executable_Serialize", new Slots(7).set(2, this.executable));
    return readMemory(struct.get(3), struct.get(4));
  }

  /** A launch with fixed memory for its arguments and results. */
  launcher(argumentCount: number, resultCount: number) {
    const options = new Slots(14);
    const table = (count: number) => new BigUint64Array(allocate(count * 8));
    const [given, results] = [table(argumentCount), table(resultCount)];
    const [argumentLists, resultLists, events] = [table(1), table(1), table(1)];
    argumentLists[0] = addressOf(given);
    resultLists[0] = addressOf(results);
    const struct = new Slots(10)
      .set(2, this.loaded)
      .set(3, options.address)
      .set(4, addressOf(argumentLists))
      .set(5, 1)
      .set(6, argumentCount)
      .set(7, addressOf(resultLists))
      .set(8, addressOf(events));
    struct.kept.push(options, given, results, argumentLists, resultLists, events);
    return async (buffers: readonly BufferHandle[]): Promise<BufferHandle[]> => {
      given.set(buffers);
      this.api.call("LoadedExecutable_Execute", struct);
      const made = Array.from(results.subarray(0, resultCount));
      const event = events[0]!;
      try {
        await this.api.callAsync("Event_Await", new Slots(3).set(2, event));
      } catch (error) {
        for (const buffer of made) this.api.callOn("Buffer_Destroy", buffer);
        throw error;
      } finally {
        this.api.callOn("Event_Destroy", event);
      }
      return made;
    };
  }

  destroy(): void {
    this.api.callOn("Executable_Destroy", this.executable);
    this.api.callOn("LoadedExecutable_Destroy", this.loaded);
  }
}
