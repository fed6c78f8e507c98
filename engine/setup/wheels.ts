/** @file The wheels on PyPI that hold the libraries, pinned by hash. Their publishers are many: the pin is what is trusted. */

export type Wheel = {
  readonly name: string;
  readonly version: string;
  /** Of the wheel file. */
  readonly sha256: string;
  /** For wheels of one Python version; the library inside does not depend on it. */
  readonly pythonVersion?: string;
  readonly platform: string;
  /** Files of the wheel that are needed: libraries first, then headers. */
  readonly members: readonly string[];
};

type Architecture = "x64" | "arm64";

const x64 = "manylinux_2_27_x86_64";
const arm64 = "manylinux_2_27_aarch64";

/** The libraries, and the headers that tfjs-node's addon is built with. */
const tensorflowMembers = [
  "tensorflow/libtensorflow_framework.so.2",
  "tensorflow/libtensorflow_cc.so.2",
  ...[
    "tensorflow/c/c_api.h",
    "tensorflow/c/c_api_macros.h",
    "tensorflow/c/eager/c_api.h",
    "tensorflow/c/tf_attrtype.h",
    "tensorflow/c/tf_buffer.h",
    "tensorflow/c/tf_datatype.h",
    "tensorflow/c/tf_status.h",
    "tensorflow/c/tf_tensor.h",
    "tensorflow/c/tf_tstring.h",
    "tensorflow/core/platform/ctstring.h",
    "tensorflow/core/platform/ctstring_internal.h",
    "tsl/platform/ctstring.h",
    "tsl/platform/ctstring_internal.h",
    "xla/tsl/c/tsl_status.h",
  ].map((header) => `tensorflow/include/${header}`),
];

/** XLA's CPU plugin. */
export const xlaCpu: Readonly<Record<Architecture, Wheel>> = {
  x64: {
    name: "lammps-jax-pjrt-cpu",
    version: "0.11.2",
    sha256: "1319390d948b39f69f7dade496b7c385149d9ca6097a6b62114da113216d9ad1",
    platform: x64,
    members: ["lammps_jax_pjrt_cpu/pjrt_c_api_cpu_plugin.so"],
  },
  arm64: {
    name: "xla-cpu-pjrt",
    version: "0.0.1",
    sha256: "8f613be6e891858f40d64f9799319502fff42689661944fc18a6ffd8210b30c9",
    platform: arm64,
    members: ["xla_plugins/xla_cpu_pjrt/xla_cpu_pjrt.so"],
  },
};

/** JAX's plugin for NVIDIA GPUs; CUDA itself comes from NVIDIA's own wheels beside it. */
export const xlaCuda: Wheel = {
  name: "jax-cuda13-pjrt",
  version: "0.12.0.1",
  sha256: "5899bb6177eda86ea532afb9a26794f2bdd04966f6a01f9028266b16c2b6cf90",
  platform: x64,
  members: ["jax_plugins/xla_cuda13/xla_cuda_plugin.so"],
};

export const tensorflowCpu: Readonly<Record<Architecture, Wheel>> = {
  x64: {
    name: "tensorflow-cpu",
    version: "2.21.0",
    sha256: "dcc8afd32930e42d5296b6ee19078b773706830af4ea97fbe503b9f5e0f820cb",
    pythonVersion: "3.12",
    platform: x64,
    members: tensorflowMembers,
  },
  arm64: {
    name: "tensorflow",
    version: "2.21.0",
    sha256: "b07d15737406533898e36c7ef7944b1be18e9028dc521b9229952c537bbc5552",
    pythonVersion: "3.12",
    platform: arm64,
    members: tensorflowMembers,
  },
};

export const tensorflowCuda: Wheel = {
  ...tensorflowCpu.x64,
  name: "tensorflow",
  sha256: "b3b95643c4e70eb925839938fb35cbe142f317ec84af6844ee61513713bb13c0",
};
