import type { Node, Op } from "../../program/program.ts";
import type { Precision } from "../executor.ts";
import type { Hlo, HloBuilder } from "./hlo-builder.ts";

/** What emitters write with: the builder, and what products are computed in. */
export type Writer = { readonly hlo: HloBuilder; readonly precision: Precision };
export type HloEmitter<O extends Op> = (writer: Writer, node: Node<O>, operands: readonly Hlo[]) => Hlo;

export const elementOf = { float32: "f32", int32: "i32", bool: "i1", uint8: "ui8" } as const;

/** Operands of products: rounded to bfloat16 where the precision says so; sums stay float32. */
export const factor = ({ hlo, precision }: Writer, x: Hlo): Hlo =>
  precision === "bfloat16" && x.element === "f32" ? hlo.convert(x, "bf16") : x;
