/**
 * @file The C interface of PJRT plugins, called through koffi. The plugin hands out a table of functions; each takes one
 * struct and returns an error or nothing. Every struct here is a row of 8-byte slots: slot 0 is its size in bytes, slot 1
 * an extension (none), smaller integers lie in the low half of theirs. Field order: xla/pjrt/c/pjrt_c_api.h; newer
 * versions only append fields.
 */
import koffi, { type LibraryHandle } from "koffi";

/** Places in the function table. */
const functions = {
  Error_Destroy: 0,
  Error_Message: 1,
  Error_GetCode: 2,
  Plugin_Initialize: 3,
  Event_Destroy: 5,
  Event_Await: 8,
  Client_Create: 10,
  Client_PlatformName: 12,
  Client_PlatformVersion: 14,
  Client_AddressableDevices: 16,
  Client_Compile: 20,
  Client_BufferFromHostBuffer: 22,
  DeviceDescription_Kind: 26,
  Device_GetDescription: 29,
  Executable_Destroy: 40,
  Executable_Serialize: 49,
  LoadedExecutable_Destroy: 50,
  LoadedExecutable_GetExecutable: 51,
  LoadedExecutable_Execute: 55,
  Executable_DeserializeAndLoad: 56,
  Buffer_Destroy: 58,
  Buffer_IsDeleted: 68,
  Buffer_ToHostBuffer: 70,
  TopologyDescription_Create: 82,
  Compile: 89,
} as const;
export type PjrtFunction = keyof typeof functions;

const headerBytes = 40;
const slotBytes = 8;
/** Older plugins lack functions that are needed here. */
const oldestMinor = 60;

// XLA compiles on the calling stack, and koffi's own is small. Must come before the first library is loaded.
koffi.config({ sync_stack_size: 16 << 20, async_stack_size: 16 << 20 });
// Without a name: a name can be given once per process, a module can be loaded more often (tests).
const signature = koffi.proto("void *", ["void *"]);

type Native = ((struct: bigint) => unknown) & {
  async(struct: bigint, done: (error: Error | null, result: unknown) => void): void;
};

const pointer = (value: unknown): bigint => (value == null ? 0n : BigInt(value as bigint));

/** Short arrays may lie in the garbage collector's heap and move: all memory that C sees is longer. */
const fixedBytes = 128;

export const allocate = (bytes: number): ArrayBuffer => new ArrayBuffer(Math.max(bytes, fixedBytes));
export const addressOf = (memory: ArrayBufferView | ArrayBuffer): bigint => koffi.address(memory);

/** A copy of `bytes` bytes at an address. */
export function readMemory(address: bigint, bytes: number | bigint): Buffer {
  if (Number(bytes) === 0) return Buffer.alloc(0);
  return Buffer.from(new Uint8Array(koffi.view(address, Number(bytes)).slice(0)));
}

/** A struct of `count` slots; the garbage collector must not take it while C uses it. */
export class Slots {
  readonly values: BigUint64Array;
  readonly address: bigint;
  /** Other memory that this struct points to. */
  readonly kept: unknown[] = [];

  constructor(count: number) {
    this.values = new BigUint64Array(allocate(count * slotBytes));
    this.values[0] = BigInt(count * slotBytes);
    this.address = addressOf(this.values);
  }

  get(slot: number): bigint {
    return this.values[slot]!;
  }

  set(slot: number, value: bigint | number): this {
    this.values[slot] = BigInt(value);
    return this;
  }

  /** A pointer to bytes, and their length in the next slot. */
  setBytes(slot: number, bytes: Uint8Array): this {
    const memory = new Uint8Array(allocate(bytes.length));
    memory.set(bytes);
    this.kept.push(memory);
    return this.set(slot, addressOf(memory)).set(slot + 1, bytes.length);
  }
}

/** What a plugin reports; `code` as in absl::StatusCode. */
export class PjrtError extends Error {
  readonly code: number;
  constructor(message: string, code: number) {
    super(message);
    this.code = code;
  }
}

export class PjrtApi {
  readonly version: string;
  /** Unloaded once nobody holds it. */
  readonly library: LibraryHandle;
  private readonly table = new Map<PjrtFunction, Native>();

  /** @throws Error in one sentence when the file is no plugin, or one of a version that cannot be used */
  constructor(path: string) {
    let table: bigint;
    try {
      this.library = koffi.load(path);
      table = pointer(this.library.func("void *GetPjrtApi()")());
    } catch (cause) {
      throw new Error(`${path}: must be a PJRT plugin, but cannot be loaded as one: ${(cause as Error).message}.`, {
        cause,
      });
    }
    const header = koffi.decode(table, koffi.array("uint64", 5)) as (number | bigint)[];
    const size = Number(header[0]);
    const [major, minor] = [Number(BigInt(header[4]!) & 0xffffffffn), Number(BigInt(header[4]!) >> 32n)];
    this.version = `${major}.${minor}`;
    if (major !== 0 || minor < oldestMinor) {
      throw new Error(
        `${path}: speaks PJRT ${this.version}; version 0.${oldestMinor} or a later 0.x is needed. Bring another plugin.`,
      );
    }
    const count = (size - headerBytes) / slotBytes;
    const addresses = koffi.decode(table, headerBytes, koffi.array("uint64", count)) as (number | bigint)[];
    for (const [name, place] of Object.entries(functions)) {
      const address = BigInt(addresses[place] ?? 0);
      if (address !== 0n) this.table.set(name as PjrtFunction, koffi.decode(address, signature) as Native);
    }
    this.call("Plugin_Initialize", new Slots(2));
  }

  /** Calls a function and waits for it. @returns the struct, whose result slots are now filled */
  call(name: PjrtFunction, struct: Slots): Slots {
    this.check(name, this.native(name)(struct.address));
    return struct;
  }

  /** Calls a function on a thread of its own. */
  callAsync(name: PjrtFunction, struct: Slots): Promise<Slots> {
    return new Promise((resolve, reject) => {
      this.native(name).async(struct.address, (failure, result) => {
        try {
          if (failure !== null) throw failure;
          this.check(name, result);
          resolve(struct);
        } catch (error) {
          reject(error);
        }
      });
    });
  }

  /** Calls a function whose only argument is a handle. */
  callOn(name: PjrtFunction, handle: bigint): Slots {
    return this.call(name, new Slots(3).set(2, handle));
  }

  /** Reads a text that a function gives as pointer and length in slots 3 and 4. */
  text(name: PjrtFunction, handle: bigint): string {
    const { values } = this.call(name, new Slots(5).set(2, handle));
    return readMemory(values[3]!, values[4]!).toString();
  }

  private native(name: PjrtFunction): Native {
    const found = this.table.get(name);
    if (found === undefined) throw new Error(`the plugin (PJRT ${this.version}) lacks ${name}. Bring another plugin.`);
    return found;
  }

  private check(name: PjrtFunction, result: unknown): void {
    const error = pointer(result);
    if (error === 0n) return;
    const message = new Slots(5).set(2, error);
    this.native("Error_Message")(message.address);
    const text = readMemory(message.get(3), message.get(4)).toString();
    const code = new Slots(4).set(2, error);
    this.native("Error_GetCode")(code.address);
    this.native("Error_Destroy")(new Slots(3).set(2, error).address);
    throw new PjrtError(`${name}: ${text}`, Number(code.get(3) & 0xffffffffn));
  }
}
