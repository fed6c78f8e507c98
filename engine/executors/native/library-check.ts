/** @file Looks at a shared library before it is loaded: a cut file or a missing instruction set would kill the process. */
import { closeSync, existsSync, openSync, readFileSync, readSync, statSync } from "node:fs";
import { ConfigError } from "#core/errors.ts";

const elfMachines = { x64: 62, arm64: 183 } as const;

/**
 * Checks that a file is a whole 64-bit ELF library for this processor.
 *
 * @throws ConfigError naming the file and what is wrong with it
 */
export function checkLibrary(path: string, mend: string): void {
  if (!existsSync(path)) throw new ConfigError(`${path}: the library is not there. ${mend}`);
  const header = Buffer.alloc(64);
  const file = openSync(path, "r");
  const read = readSync(file, header, 0, 64, 0);
  closeSync(file);
  if (read < 64 || header.toString("latin1", 0, 4) !== "\x7fELF") {
    throw new ConfigError(`${path}: must be a shared library (ELF), but is not. ${mend}`);
  }
  const machine = elfMachines[process.arch as keyof typeof elfMachines];
  if (header[4] !== 2 || header.readUInt16LE(18) !== machine) {
    throw new ConfigError(`${path}: the library is for another processor than this ${process.arch}. ${mend}`);
  }
  // The section table is the last thing in the file.
  const end = Number(header.readBigUInt64LE(40)) + header.readUInt16LE(58) * header.readUInt16LE(60);
  const { size } = statSync(path);
  if (size < end) throw new ConfigError(`${path}: the library is cut: must be ${end} bytes, got ${size}. ${mend}`);
}

/**
 * Checks that the processor has AVX, without which the prebuilt libraries stop at an illegal instruction.
 *
 * @param flags text of /proc/cpuinfo
 */
export function checkInstructions(label: string, flags = readProcessorFlags()): void {
  if (process.arch !== "x64" || flags === undefined || /^flags\s*:.*\bavx\b/m.test(flags)) return;
  throw new ConfigError(
    `${label}: the prebuilt library needs a processor with AVX, and this one has none. Use the engine "onnxruntime".`,
  );
}

const readProcessorFlags = (): string | undefined =>
  existsSync("/proc/cpuinfo") ? readFileSync("/proc/cpuinfo", "utf8") : undefined;
