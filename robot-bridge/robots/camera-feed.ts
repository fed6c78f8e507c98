import type { Image } from "#core/contracts/image.ts";
import { FormatError } from "#core/errors.ts";
import { type CompressedImage, decodeCompressedImage } from "../protocol/messages.ts";
import { decodePicture, resizeImage } from "./pictures.ts";

export type CameraOptions = {
  /** Name under which policies know the camera. */
  readonly name: string;
  readonly topic: string;
  /** Size of the pictures that are handed out, pixels; what comes is scaled to it. */
  readonly height: number;
  readonly width: number;
};

/** The newest picture of one camera. It is decoded when somebody asks for it, not when it arrives. */
export class CameraFeed {
  readonly options: CameraOptions;
  /** The last problem with a picture, for people. */
  problem: string | null = null;
  private newest: { readonly picture: CompressedImage; readonly receivedNs: bigint; decoded: Image | null } | null =
    null;

  constructor(options: CameraOptions) {
    this.options = options;
  }

  accept(message: unknown, receivedNs: bigint): void {
    try {
      const picture = decodeCompressedImage(message);
      if (this.newest && picture.stampNs <= this.newest.picture.stampNs) return;
      this.newest = { picture, receivedNs, decoded: null };
      this.problem = null;
    } catch (error) {
      if (!(error instanceof FormatError)) throw error;
      this.problem = error.message;
    }
  }

  get stamps(): { readonly stampNs: bigint; readonly receivedNs: bigint } | null {
    return this.newest && { stampNs: this.newest.picture.stampNs, receivedNs: this.newest.receivedNs };
  }

  /** @returns u8[height, width, 3], or null when there is none @throws FormatError when it cannot be decoded */
  image(): Image | null {
    const { newest } = this;
    if (!newest) return null;
    newest.decoded ??= resizeImage(decodePicture(newest.picture), this.options.height, this.options.width);
    return newest.decoded;
  }

  clear(): void {
    this.newest = null;
  }
}
