/**
 * @file What @tensorflow/tfjs-node's compiled addon does, over koffi: the object that its NodeJSKernelBackend calls for
 * every operation. So TensorFlow.js runs eagerly on the library that was set up, and no compiler is needed.
 */
import type { Pointer } from "./eager-api.ts";
import { EagerApi, stringBytes } from "./eager-api.ts";

/** TF_DataType and TF_AttrType, under the names that tfjs-node looks for. */
const constants = {
  TF_FLOAT: 1,
  TF_INT32: 3,
  TF_UINT8: 4,
  TF_STRING: 7,
  TF_COMPLEX64: 8,
  TF_INT64: 9,
  TF_BOOL: 10,
  TF_RESOURCE: 20,
  TF_ATTR_STRING: 0,
  TF_ATTR_INT: 1,
  TF_ATTR_FLOAT: 2,
  TF_ATTR_BOOL: 3,
  TF_ATTR_TYPE: 4,
  TF_ATTR_SHAPE: 5,
  TF_ATTR_RESOURCE: 9,
} as const;

const elementBytes: Readonly<Record<number, number>> = { 1: 4, 3: 4, 4: 1, 8: 8, 9: 8, 10: 1 };

type Attribute = { readonly name: string; readonly type: number; readonly value: unknown };
type TensorInfo = { readonly id: number; readonly shape: number[]; readonly dtype: number };
type Values = ArrayBufferView | readonly Uint8Array[];
type Model = { readonly session: Pointer; readonly graph: Pointer };

/** @param framework path of libtensorflow_framework.so.2 @param core path of libtensorflow_cc.so.2 */
export function createEagerBinding(framework: string, core: string) {
  const tf = EagerApi.load(framework, core);
  const context = tf.checked("newContext", tf.call("newOptions"));
  const handles = new Map<number, Pointer>();
  const models = new Map<number, Model>();
  let lastId = 0;

  const keep = (handle: Pointer): number => {
    handles.set(++lastId, handle);
    return lastId;
  };
  const find = (id: number): Pointer => {
    const handle = handles.get(id);
    if (handle === undefined) throw new Error(`no tensor has id ${id}`);
    return handle;
  };
  const describe = (handle: Pointer): TensorInfo => {
    const rank = tf.checked<number>("handleRank", handle);
    const shape = Array.from({ length: rank }, (_, axis) => Number(tf.checked<bigint>("handleSize", handle, axis)));
    return { id: keep(handle), shape, dtype: tf.call<number>("handleType", handle) };
  };

  function stringTensor(shape: readonly number[], values: readonly Uint8Array[]): Pointer {
    const tensor = tf.call("allocate", constants.TF_STRING, shape, shape.length, values.length * stringBytes);
    values.forEach((value, index) => {
      const place = tf.stringAt(tensor, index);
      tf.call("stringInit", place);
      tf.call("stringCopy", place, value, value.length);
    });
    return tensor;
  }

  function numberTensor(shape: readonly number[], dtype: number, values: ArrayBufferView): Pointer {
    const size = shape.reduce((product, count) => product * count, 1) * elementBytes[dtype]!;
    const tensor = tf.call("allocate", dtype, shape, shape.length, size);
    // tfjs hands int64 over as int32.
    const given = dtype === constants.TF_INT64 ? BigInt64Array.from(values as Int32Array, BigInt) : values;
    tf.bytesOf(tensor).set(new Uint8Array(given.buffer, given.byteOffset, size));
    return tensor;
  }

  type Setter = (op: Pointer, key: Pointer, value: never, list: readonly unknown[] | undefined) => void;
  const setters: Readonly<Record<number, Setter>> = {
    [constants.TF_ATTR_STRING]: (op, key, value) => {
      const bytes = Buffer.from(value);
      tf.call("setString", op, key, bytes, bytes.length);
    },
    [constants.TF_ATTR_INT]: (op, key, value, list) => {
      if (list) tf.call("setInts", op, key, list, list.length);
      else tf.call("setInt", op, key, value);
    },
    [constants.TF_ATTR_FLOAT]: (op, key, value, list) => {
      if (list) tf.call("setFloats", op, key, list, list.length);
      else tf.call("setFloat", op, key, value);
    },
    [constants.TF_ATTR_BOOL]: (op, key, value, list) => {
      if (list) tf.call("setBools", op, key, Uint8Array.from(list, Number), list.length);
      else tf.call("setBool", op, key, value ? 1 : 0);
    },
    [constants.TF_ATTR_TYPE]: (op, key, value) => tf.call("setType", op, key, value),
    [constants.TF_ATTR_SHAPE]: (op, key, value, list) => tf.checked("setShape", op, key, value, list!.length),
  };

  function setAttribute(op: Pointer, { name, type, value }: Attribute): void {
    const set = setters[type];
    if (set === undefined) throw new Error(`attribute "${name}" has the unknown type ${type}`);
    set(op, tf.name(name), value as never, Array.isArray(value) ? value : undefined);
  }

  function readStrings(tensor: Pointer, count: number): Uint8Array[] {
    return Array.from({ length: count }, (_, index) => tf.readString(tf.stringAt(tensor, index)));
  }

  const binding = {
    ...constants,
    TF_Version: tf.call<string>("version"),
    /** Classes that only TypeScript's types of tfjs-node mention. */
    TensorMetadata: class {},
    TFEOpAttr: class {},

    isUsingGpuDevice(): boolean {
      const devices = tf.checked("listDevices", context);
      const count = tf.call<number>("deviceCount", devices);
      const types = Array.from({ length: count }, (_, index) => tf.checked<string>("deviceType", devices, index));
      tf.call("deleteDevices", devices);
      return types.includes("GPU");
    },
    getNumOfTensors: () => handles.size,
    getNumOfSavedModels: () => models.size,

    createTensor(shape: number[], dtype: number, values: Values): number {
      const isText = dtype === constants.TF_STRING;
      if (!isText && elementBytes[dtype] === undefined) throw new Error(`a tensor cannot have type ${dtype}`);
      const tensor = isText
        ? stringTensor(shape, values as readonly Uint8Array[])
        : numberTensor(shape, dtype, values as ArrayBufferView);
      const handle = tf.checked("newHandle", tensor);
      tf.call("deleteTensor", tensor);
      return keep(handle);
    },
    deleteTensor(id: number): void {
      tf.call("deleteHandle", find(id));
      handles.delete(id);
    },
    tensorDataSync(id: number): ArrayBufferView | Uint8Array[] {
      const handle = find(id);
      const tensor = tf.checked("resolve", handle);
      const bytes = tf.bytesOf(tensor);
      const dtype = tf.call<number>("handleType", handle);
      try {
        if (dtype === constants.TF_STRING) return readStrings(tensor, bytes.length / stringBytes);
        const own = bytes.slice().buffer;
        if (dtype === constants.TF_INT32) return new Int32Array(own);
        if (dtype === constants.TF_INT64) return Int32Array.from(new BigInt64Array(own), Number);
        if (dtype === constants.TF_BOOL || dtype === constants.TF_UINT8) return new Uint8Array(own);
        return new Float32Array(own);
      } finally {
        tf.call("deleteTensor", tensor);
      }
    },
    executeOp(name: string, attributes: readonly Attribute[], inputs: readonly number[], outputs: number) {
      const op = tf.checked("newOp", context, name);
      try {
        for (const attribute of attributes) setAttribute(op, attribute);
        for (const id of inputs) tf.checked("addInput", op, find(id));
        const results = new Array<Pointer | null>(outputs).fill(null);
        const count = [outputs];
        tf.checked("execute", op, results, count);
        return (results.slice(0, count[0]) as Pointer[]).map(describe);
      } finally {
        tf.call("deleteOp", op);
      }
    },

    loadSavedModel(folder: string, tags: string): number {
      const graph = tf.call("newGraph");
      const names = tags.split(",");
      const options = tf.call("newSessionOptions");
      const session = tf.checked("loadModel", options, null, folder, names, names.length, graph, null);
      models.set(++lastId, { session, graph });
      return lastId;
    },
    deleteSavedModel(id: number): void {
      const model = models.get(id);
      if (model === undefined) throw new Error(`no model has id ${id}`);
      tf.checked("closeSession", model.session);
      tf.checked("deleteSession", model.session);
      tf.call("deleteGraph", model.graph);
      models.delete(id);
    },
    runSavedModel(id: number, inputs: readonly number[], inputNames: string, outputNames: string): TensorInfo[] {
      const model = models.get(id);
      if (model === undefined) throw new Error(`no model has id ${id}`);
      const places = (names: string) =>
        names
          .split(",")
          .filter((name) => name !== "")
          .map((name) => {
            const [operation, index = "0"] = name.split(":") as [string, string?];
            return { oper: tf.call("operationByName", model.graph, operation), index: Number(index) };
          });
      const [feeds, fetches] = [places(inputNames), places(outputNames)];
      const fed = inputs.map((input) => tf.checked("resolve", find(input)));
      const results = new Array<Pointer | null>(fetches.length).fill(null);
      const words = [feeds, fed, fed.length, fetches, results, results.length, [], 0, null];
      try {
        tf.checked("runSession", model.session, null, ...words);
      } finally {
        for (const tensor of fed) tf.call("deleteTensor", tensor);
      }
      return (results as Pointer[]).map((tensor) => {
        const handle = tf.checked("newHandle", tensor);
        tf.call("deleteTensor", tensor);
        return describe(handle);
      });
    },
  };
  return binding;
}
