/** @file The functions of TensorFlow's C interface that eager execution needs (c/eager/c_api.h, c/tf_tstring.h). */
import koffi, { type LibraryHandle } from "koffi";

export type Pointer = bigint | object;
type NativeFunction = ReturnType<LibraryHandle["func"]>;

const declarations = {
  version: "const char *TF_Version()",
  newStatus: "void *TF_NewStatus()",
  code: "int TF_GetCode(void *)",
  message: "const char *TF_Message(void *)",
  newOptions: "void *TFE_NewContextOptions()",
  newContext: "void *TFE_NewContext(void *, void *)",
  listDevices: "void *TFE_ContextListDevices(void *, void *)",
  deviceCount: "int TF_DeviceListCount(void *)",
  deviceType: "const char *TF_DeviceListType(void *, int, void *)",
  deleteDevices: "void TF_DeleteDeviceList(void *)",
  allocate: "void *TF_AllocateTensor(int, const int64_t *, int, size_t)",
  tensorData: "void *TF_TensorData(void *)",
  tensorBytes: "size_t TF_TensorByteSize(void *)",
  deleteTensor: "void TF_DeleteTensor(void *)",
  newHandle: "void *TFE_NewTensorHandle(void *, void *)",
  deleteHandle: "void TFE_DeleteTensorHandle(void *)",
  resolve: "void *TFE_TensorHandleResolve(void *, void *)",
  handleType: "int TFE_TensorHandleDataType(void *)",
  handleRank: "int TFE_TensorHandleNumDims(void *, void *)",
  handleSize: "int64_t TFE_TensorHandleDim(void *, int, void *)",
  newOp: "void *TFE_NewOp(void *, const char *, void *)",
  deleteOp: "void TFE_DeleteOp(void *)",
  addInput: "void TFE_OpAddInput(void *, void *, void *)",
  execute: "void TFE_Execute(void *, _Out_ void **, _Inout_ int *, void *)",
  setType: "void TFE_OpSetAttrType(void *, void *, int)",
  setInt: "void TFE_OpSetAttrInt(void *, void *, int64_t)",
  setInts: "void TFE_OpSetAttrIntList(void *, void *, const int64_t *, int)",
  setFloat: "void TFE_OpSetAttrFloat(void *, void *, float)",
  setFloats: "void TFE_OpSetAttrFloatList(void *, void *, const float *, int)",
  setBool: "void TFE_OpSetAttrBool(void *, void *, uint8_t)",
  setBools: "void TFE_OpSetAttrBoolList(void *, void *, const uint8_t *, int)",
  setString: "void TFE_OpSetAttrString(void *, void *, const uint8_t *, size_t)",
  setShape: "void TFE_OpSetAttrShape(void *, void *, const int64_t *, int, void *)",
  stringInit: "void TF_StringInit(void *)",
  stringCopy: "void TF_StringCopy(void *, const uint8_t *, size_t)",
  stringData: "void *TF_StringGetDataPointer(void *)",
  stringSize: "size_t TF_StringGetSize(void *)",
  newGraph: "void *TF_NewGraph()",
  deleteGraph: "void TF_DeleteGraph(void *)",
  newSessionOptions: "void *TF_NewSessionOptions()",
  loadModel:
    "void *TF_LoadSessionFromSavedModel(void *, void *, const char *, const char **, int, void *, void *, void *)",
  closeSession: "void TF_CloseSession(void *, void *)",
  deleteSession: "void TF_DeleteSession(void *, void *)",
  operationByName: "void *TF_GraphOperationByName(void *, const char *)",
  runSession:
    "void TF_SessionRun(void *, void *, TFE_Output *, void **, int, TFE_Output *, _Out_ void **, int, void **, int, void *, void *)",
} as const;

export type EagerFunction = keyof typeof declarations;

/** Bytes of TF_TString. */
export const stringBytes = 24;

/** Loaded libraries stay loaded: TensorFlow cannot be taken out of a process. */
const loaded = new Map<string, EagerApi>();

/** The library's functions; a failed call throws what TensorFlow says. */
export class EagerApi {
  private readonly libraries: readonly LibraryHandle[];
  private readonly functions: Readonly<Record<EagerFunction, NativeFunction>>;
  private readonly status: Pointer;
  /** Names of attributes are kept by TensorFlow as addresses: each is written once and never freed. */
  private readonly names = new Map<string, Pointer>();

  private constructor(framework: string, core: string) {
    koffi.config({ sync_stack_size: 16 << 20, async_stack_size: 16 << 20 });
    koffi.struct("TFE_Output", { oper: "void *", index: "int" });
    this.libraries = [framework, core].map((path) => koffi.load(path, { global: true }));
    const find = (declaration: string): NativeFunction => {
      for (const library of this.libraries) {
        try {
          return library.func(declaration);
        } catch {
          // It lies in the other library.
        }
      }
      throw new Error(`${core}: lacks "${declaration}"`);
    };
    const entries = Object.entries(declarations).map(([name, declaration]) => [name, find(declaration)] as const);
    this.functions = Object.fromEntries(entries) as Record<EagerFunction, NativeFunction>;
    this.status = this.functions.newStatus() as Pointer;
  }

  static load(framework: string, core: string): EagerApi {
    const known = loaded.get(core);
    if (known !== undefined) return known;
    const api = new EagerApi(framework, core);
    loaded.set(core, api);
    return api;
  }

  call<T = Pointer>(name: EagerFunction, ...values: readonly unknown[]): T {
    return this.functions[name](...values) as T;
  }

  /** Calls a function whose last parameter is a status. */
  checked<T = Pointer>(name: EagerFunction, ...values: readonly unknown[]): T {
    const result = this.functions[name](...values, this.status) as T;
    if (this.functions.code(this.status) !== 0) throw new Error(String(this.functions.message(this.status)));
    return result;
  }

  name(text: string): Pointer {
    const known = this.names.get(text);
    if (known !== undefined) return known;
    const bytes = Buffer.from(`${text}\0`);
    const place = koffi.alloc("uint8", bytes.length) as Pointer;
    new Uint8Array(koffi.view(place, bytes.length)).set(bytes);
    this.names.set(text, place);
    return place;
  }

  /** Memory of a tensor, as long as the tensor lives. */
  bytesOf(tensor: Pointer): Uint8Array {
    const length = Number(this.call("tensorBytes", tensor));
    return length === 0 ? new Uint8Array(0) : new Uint8Array(koffi.view(this.call("tensorData", tensor), length));
  }

  /** Address of string `index` of a tensor of strings. */
  stringAt(tensor: Pointer, index: number): bigint {
    return koffi.address(this.call("tensorData", tensor)) + BigInt(index * stringBytes);
  }

  readString(place: bigint): Uint8Array {
    const length = Number(this.call("stringSize", place));
    if (length === 0) return new Uint8Array(0);
    return new Uint8Array(koffi.view(this.call("stringData", place), length).slice(0));
  }
}
