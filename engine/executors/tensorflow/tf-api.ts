/** @file The C interface of TensorFlow (tensorflow/c/c_api.h), called through koffi. */
import koffi, { type LibraryHandle } from "koffi";
import type { HostData, HostValue } from "../host/messages.ts";
import { tfTypes } from "./graph-def.ts";

const arrays = { float32: Float32Array, int32: Int32Array, uint8: Uint8Array, bool: Uint8Array } as const;

type NativeFunction = ReturnType<LibraryHandle["func"]>;

/** An address that only the library can read. */
export type Pointer = bigint | object;
export type TfOutput = { readonly oper: Pointer; readonly index: number };

// TensorFlow compiles on the calling stack, and koffi's own is small. Must come before the first library is loaded.
koffi.config({ sync_stack_size: 16 << 20, async_stack_size: 16 << 20 });
koffi.struct("TF_Output", { oper: "void *", index: "int" });

const declarations = {
  version: "const char *TF_Version()",
  newStatus: "void *TF_NewStatus()",
  deleteStatus: "void TF_DeleteStatus(void *)",
  code: "int TF_GetCode(void *)",
  message: "const char *TF_Message(void *)",
  newGraph: "void *TF_NewGraph()",
  newBuffer: "void *TF_NewBufferFromString(const uint8_t *, size_t)",
  deleteBuffer: "void TF_DeleteBuffer(void *)",
  newImportOptions: "void *TF_NewImportGraphDefOptions()",
  deleteImportOptions: "void TF_DeleteImportGraphDefOptions(void *)",
  importGraph: "void TF_GraphImportGraphDef(void *, void *, void *, void *)",
  operationByName: "void *TF_GraphOperationByName(void *, const char *)",
  deleteGraph: "void TF_DeleteGraph(void *)",
  newSessionOptions: "void *TF_NewSessionOptions()",
  setConfig: "void TF_SetConfig(void *, const uint8_t *, size_t, void *)",
  setTarget: "void TF_SetTarget(void *, const char *)",
  newSession: "void *TF_NewSession(void *, void *, void *)",
  closeSession: "void TF_CloseSession(void *, void *)",
  deleteSession: "void TF_DeleteSession(void *, void *)",
  run: "void TF_SessionRun(void *, void *, TF_Output *, void **, int, TF_Output *, _Out_ void **, int, void **, int, void *, void *)",
  listDevices: "void *TF_SessionListDevices(void *, void *)",
  deviceCount: "int TF_DeviceListCount(void *)",
  deviceName: "const char *TF_DeviceListName(void *, int, void *)",
  allocateTensor: "void *TF_AllocateTensor(int, const int64_t *, int, size_t)",
  tensorData: "void *TF_TensorData(void *)",
  tensorBytes: "size_t TF_TensorByteSize(void *)",
  deleteTensor: "void TF_DeleteTensor(void *)",
  newServer: "void *TF_NewServer(const uint8_t *, size_t, void *)",
  startServer: "void TF_ServerStart(void *, void *)",
  serverTarget: "const char *TF_ServerTarget(void *)",
} as const;

/** What TensorFlow reports; `code` as in absl::StatusCode. */
export class TfError extends Error {
  readonly code: number;
  constructor(message: string, code: number) {
    super(message);
    this.code = code;
  }
}

/** The functions of a loaded TensorFlow. */
export class TfApi {
  private readonly libraries: readonly LibraryHandle[];
  private readonly functions: Readonly<Record<keyof typeof declarations, NativeFunction>>;

  /**
   * @param framework path of libtensorflow_framework.so.2 @param core path of libtensorflow_cc.so.2, which needs it
   * @throws Error in one sentence when they cannot be loaded
   */
  constructor(framework: string, core: string) {
    try {
      this.libraries = [framework, core].map((path) => koffi.load(path, { global: true }));
    } catch (cause) {
      throw new Error(`${core}: must be TensorFlow's libraries, but cannot be loaded: ${(cause as Error).message}.`, {
        cause,
      });
    }
    const find = (declaration: string): NativeFunction => {
      for (const library of this.libraries) {
        try {
          return library.func(declaration);
        } catch {
          // It lies in the other library.
        }
      }
      throw new Error(`${core}: lacks "${declaration}". TensorFlow 2.15 or later is needed.`);
    };
    const entries = Object.entries(declarations).map(([name, declaration]) => [name, find(declaration)] as const);
    this.functions = Object.fromEntries(entries) as Record<keyof typeof declarations, NativeFunction>;
  }

  get version(): string {
    return this.functions.version() as string;
  }

  /** Calls a function whose last parameter is a status. @throws TfError */
  checked(name: keyof typeof declarations, ...values: readonly unknown[]): Pointer {
    const status = this.functions.newStatus();
    const result = this.functions[name](...values, status);
    this.check(status);
    return result as Pointer;
  }

  plain<T = Pointer>(name: keyof typeof declarations, ...values: readonly unknown[]): T {
    return this.functions[name](...values) as T;
  }

  /** Runs a session on a thread of its own. @returns the fetched tensors, the caller's to delete */
  runSession(
    session: Pointer,
    feeds: readonly TfOutput[],
    fed: readonly Pointer[],
    fetches: readonly TfOutput[],
    targets: readonly Pointer[],
  ): Promise<Pointer[]> {
    const results = new Array<Pointer | null>(fetches.length).fill(null);
    const status = this.functions.newStatus();
    const words = [session, null, feeds, fed, fed.length, fetches, results, fetches.length, targets, targets.length];
    return new Promise((resolve, reject) => {
      this.functions.run.async(...words, null, status, (failure: Error | null) => {
        try {
          if (failure !== null) throw failure;
          this.check(status);
          resolve(results as Pointer[]);
        } catch (error) {
          reject(error);
        }
      });
    });
  }

  /** A tensor with the array's numbers. */
  tensor({ type, shape }: HostValue, data: HostData): Pointer {
    const sizes = shape.map(BigInt);
    const made = this.functions.allocateTensor(tfTypes[type], sizes, shape.length, data.byteLength) as Pointer;
    if (data.byteLength > 0) {
      const bytes = new Uint8Array(koffi.view(this.functions.tensorData(made), data.byteLength));
      bytes.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
    }
    return made;
  }

  /** A copy of a tensor's numbers. */
  read({ type }: HostValue, tensor: Pointer): HostData {
    const bytes = Number(this.functions.tensorBytes(tensor));
    const Type = arrays[type];
    if (bytes === 0) return new Type(0);
    return new Type(koffi.view(this.functions.tensorData(tensor), bytes).slice(0));
  }

  deleteTensor(tensor: Pointer): void {
    this.functions.deleteTensor(tensor);
  }

  /** Reads and deletes a status. */
  private check(status: Pointer): void {
    const code = this.functions.code(status) as number;
    const message = code === 0 ? "" : (this.functions.message(status) as string);
    this.functions.deleteStatus(status);
    if (code !== 0) throw new TfError(message, code);
  }
}
