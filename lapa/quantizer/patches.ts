import * as tf from "@tensorflow/tfjs";

/**
 * Cuts pictures into flat patches, row by row.
 *
 * @param images f32[B, H, W, 3]
 * @returns f32[B, N, patch * patch * 3] with N = (H / patch) * (W / patch)
 */
export function patchify(images: tf.Tensor4D, patch: number): tf.Tensor3D {
  const [batch, height, width, channels] = images.shape;
  const rows = height / patch;
  const columns = width / patch;
  const cut = tf.reshape(images, [batch, rows, patch, columns, patch * channels]); // [B, h, p, w, pC]
  return tf.reshape(tf.transpose(cut, [0, 1, 3, 2, 4]), [batch, rows * columns, patch * patch * channels]);
}

/** The inverse of `patchify`. @returns f32[B, size, size, 3] */
export function unpatchify(patches: tf.Tensor3D, patch: number, size: number): tf.Tensor4D {
  const [batch, , width] = patches.shape;
  const rows = size / patch;
  const channels = width / (patch * patch);
  const cut = tf.reshape(patches, [batch, rows, rows, patch, patch * channels]); // [B, h, w, p, pC]
  return tf.reshape(tf.transpose(cut, [0, 1, 3, 2, 4]), [batch, size, size, channels]);
}
