/** @file Writes StableHLO text, one line per value. Every operation here is a function of typed values. */
/** Element types of StableHLO. */
export type Element = "f32" | "bf16" | "i32" | "i1" | "ui8";

/** A value by name, with its type. */
export type Hlo = { readonly name: string; readonly shape: readonly number[]; readonly element: Element };

export type Direction = "EQ" | "NE" | "LT" | "LE" | "GT" | "GE";
export type Combiner = "add" | "multiply" | "maximum" | "minimum";

export const typeText = (shape: readonly number[], element: Element) => `tensor<${[...shape, element].join("x")}>`;
export const typeOf = ({ shape, element }: Hlo) => typeText(shape, element);

const sameShape = (a: readonly number[], b: readonly number[]) =>
  a.length === b.length && a.every((size, axis) => size === b[axis]);

const hex = (bytes: Uint8Array) => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("hex");

/** Floats are written by their bits: infinities and NaN have no decimal form. */
function numberText(value: number, element: Element): string {
  if (element !== "f32") return element === "i1" ? String(value !== 0) : String(value);
  const bits = new Uint32Array(Float32Array.of(value).buffer)[0]!;
  return `0x${bits.toString(16).toUpperCase().padStart(8, "0")}`;
}

const comparisonTypes: Readonly<Record<Element, string>> = {
  f32: "FLOAT",
  bf16: "FLOAT",
  i32: "SIGNED",
  i1: "UNSIGNED",
  ui8: "UNSIGNED",
};

/** Collects the lines of one function's body. */
export class HloBuilder {
  readonly lines: string[] = [];
  private count = 0;
  private readonly scalars = new Map<string, Hlo>();

  /** Adds `%n = text` with one result. */
  emit(text: string, shape: readonly number[], element: Element): Hlo {
    const name = `%v${this.count++}`;
    this.lines.push(`${name} = ${text}`);
    return { name, shape, element };
  }

  /** Adds `%n:count = text`. */
  emitAll(text: string, types: readonly (readonly [shape: readonly number[], element: Element])[]): Hlo[] {
    const name = `%v${this.count++}`;
    this.lines.push(`${name}:${types.length} = ${text}`);
    return types.map(([shape, element], index) => ({ name: `${name}#${index}`, shape, element }));
  }

  scalar(value: number, element: Element): Hlo {
    const key = `${element} ${Object.is(value, -0) ? "-0" : value}`;
    const known = this.scalars.get(key);
    if (known !== undefined) return known;
    const made = this.emit(
      `stablehlo.constant dense<${numberText(value, element)}> : ${typeText([], element)}`,
      [],
      element,
    );
    this.scalars.set(key, made);
    return made;
  }

  /** The same number everywhere. */
  fill(value: number, shape: readonly number[], element: Element): Hlo {
    return this.broadcast(this.scalar(value, element), shape);
  }

  constant(
    values: Float32Array | Int32Array | Uint8Array,
    shape: readonly number[],
    element: "f32" | "i32" | "i1",
  ): Hlo {
    if (values.length === 1) return this.reshape(this.scalar(values[0]!, element), shape);
    // Bools in hexadecimal form would be packed bits: they are written as bytes.
    const stored = element === "i1" ? "ui8" : element;
    const bytes = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
    const text = values.length === 0 ? "" : `"0x${hex(bytes)}"`;
    const array = this.emit(`stablehlo.constant dense<${text}> : ${typeText(shape, stored)}`, shape, stored);
    return element === "i1" ? this.compare("NE", array, this.fill(0, shape, "ui8")) : array;
  }

  /** An operation whose operands and result have one type. */
  map(op: string, ...operands: readonly [Hlo, ...Hlo[]]): Hlo {
    const [{ shape, element }] = operands;
    const names = operands.map(({ name }) => name).join(", ");
    return this.emit(`stablehlo.${op} ${names} : ${typeText(shape, element)}`, shape, element);
  }

  /** Operations of CHLO, which every plugin expands by itself. */
  chlo(op: string, x: Hlo): Hlo {
    return this.emit(`chlo.${op} ${x.name} : ${typeOf(x)} -> ${typeOf(x)}`, x.shape, x.element);
  }

  compare(direction: Direction, a: Hlo, b: Hlo): Hlo {
    const types = `(${typeOf(a)}, ${typeOf(b)}) -> ${typeText(a.shape, "i1")}`;
    const text = `stablehlo.compare ${direction}, ${a.name}, ${b.name}, ${comparisonTypes[a.element]} : ${types}`;
    return this.emit(text, a.shape, "i1");
  }

  select(condition: Hlo, whenTrue: Hlo, whenFalse: Hlo): Hlo {
    const names = [condition, whenTrue, whenFalse].map(({ name }) => name).join(", ");
    return this.emit(
      `stablehlo.select ${names} : ${typeOf(condition)}, ${typeOf(whenTrue)}`,
      whenTrue.shape,
      whenTrue.element,
    );
  }

  convert(x: Hlo, element: Element): Hlo {
    if (x.element === element) return x;
    return this.emit(`stablehlo.convert ${x.name} : (${typeOf(x)}) -> ${typeText(x.shape, element)}`, x.shape, element);
  }

  reshape(x: Hlo, shape: readonly number[]): Hlo {
    if (sameShape(x.shape, shape)) return x;
    return this.emit(`stablehlo.reshape ${x.name} : (${typeOf(x)}) -> ${typeText(shape, x.element)}`, shape, x.element);
  }

  /** `axes[i]` is the result's axis that operand axis i becomes. */
  broadcastInto(x: Hlo, shape: readonly number[], axes: readonly number[]): Hlo {
    const text = `stablehlo.broadcast_in_dim ${x.name}, dims = [${axes}]`;
    return this.emit(`${text} : (${typeOf(x)}) -> ${typeText(shape, x.element)}`, shape, x.element);
  }

  /** As NumPy broadcasts: trailing axes meet. */
  broadcast(x: Hlo, shape: readonly number[]): Hlo {
    if (sameShape(x.shape, shape)) return x;
    const offset = shape.length - x.shape.length;
    return this.broadcastInto(
      x,
      shape,
      x.shape.map((_, axis) => axis + offset),
    );
  }

  transpose(x: Hlo, permutation: readonly number[]): Hlo {
    const shape = permutation.map((axis) => x.shape[axis]!);
    const text = `stablehlo.transpose ${x.name}, dims = [${permutation}]`;
    return this.emit(`${text} : (${typeOf(x)}) -> ${typeText(shape, x.element)}`, shape, x.element);
  }

  reverse(x: Hlo, axes: readonly number[]): Hlo {
    return this.emit(`stablehlo.reverse ${x.name}, dims = [${axes}] : ${typeOf(x)}`, x.shape, x.element);
  }

  /** The numbers first, first + 1, ... along `axis`. */
  iota(shape: readonly number[], axis: number): Hlo {
    return this.emit(`stablehlo.iota dim = ${axis} : ${typeText(shape, "i32")}`, shape, "i32");
  }

  reduce(combiner: Combiner, x: Hlo, initial: Hlo, axes: readonly number[]): Hlo {
    const shape = x.shape.filter((_, axis) => !axes.includes(axis));
    const text = `stablehlo.reduce(${x.name} init: ${initial.name}) applies stablehlo.${combiner} across dimensions = [${axes}]`;
    const types = `(${typeOf(x)}, ${typeOf(initial)}) -> ${typeText(shape, x.element)}`;
    return this.emit(`${text} : ${types}`, shape, x.element);
  }

  /** A region of two scalars that combines them, for operations written in generic form. */
  combine(combiner: Combiner, element: Element): string {
    const scalar = typeText([], element);
    return (
      `({ ^bb0(%left: ${scalar}, %right: ${scalar}): %combined = stablehlo.${combiner} %left, %right : ${scalar} ` +
      `stablehlo.return %combined : ${scalar} })`
    );
  }
}
