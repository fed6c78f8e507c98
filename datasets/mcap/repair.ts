import { type FileHandle, open, rename, rm, stat } from "node:fs/promises";
import { McapWriter } from "@mcap/core";
import { FormatError, UserError } from "#core/errors.ts";
import { readMcapRecords } from "./records.ts";
import { fileWritable } from "./writer.ts";

export type Repaired = {
  /** Messages that were whole. */
  readonly messages: number;
  /** What ended the reading; `undefined` when the recording was whole. */
  readonly problem: string | undefined;
};

/**
 * Copies everything that is whole in a cut or damaged recording into a new one with index and footer: messages, schemas,
 * attachments and metadata up to the damage. The original stays as it is.
 *
 * @throws UserError when `to` is there already; FormatError when nothing could be saved
 */
export async function repairMcap(from: string, to: string): Promise<Repaired> {
  if (await stat(to).catch(() => undefined)) throw new UserError(`${to}: must not be there yet. Choose another name.`);
  const part = `${to}.${process.pid}.part`;
  const file = await open(part, "w");
  try {
    const repaired = await copyWhole(from, to, file);
    if (repaired.messages === 0) {
      throw new FormatError(from, `no message could be saved (${repaired.problem ?? "there is none"}).`);
    }
    await file.sync();
    await file.close();
    await rename(part, to);
    return repaired;
  } catch (error) {
    await file.close().catch(() => undefined);
    await rm(part, { force: true });
    throw error;
  }
}

async function copyWhole(from: string, to: string, file: FileHandle): Promise<Repaired> {
  const writer = new McapWriter({ writable: fileWritable(to, file) });
  // Ids are given anew by the writer.
  const schemas = new Map<number, number>([[0, 0]]);
  const channels = new Map<number, number>();
  let messages = 0;
  let problem: string | undefined;
  let started = false;
  try {
    for await (const record of readMcapRecords(from)) {
      if (record.type === "Header") {
        await writer.start({ profile: record.profile, library: record.library });
        started = true;
      } else if (record.type === "Schema" && !schemas.has(record.id)) {
        schemas.set(record.id, await writer.registerSchema(record));
      } else if (record.type === "Channel" && !channels.has(record.id)) {
        channels.set(
          record.id,
          await writer.registerChannel({ ...record, schemaId: schemas.get(record.schemaId) ?? 0 }),
        );
      } else if (record.type === "Message") {
        await writer.addMessage({ ...record, channelId: channels.get(record.channelId)! });
        messages++;
      } else if (record.type === "Attachment") await writer.addAttachment(record);
      else if (record.type === "Metadata") await writer.addMetadata(record);
    }
  } catch (error) {
    if (!(error instanceof FormatError)) throw error;
    problem = error.message;
  }
  if (started) await writer.end();
  return { messages, problem };
}
