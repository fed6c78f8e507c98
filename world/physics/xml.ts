/** Attribute values: numbers are written with full precision, arrays with spaces, `undefined` is left out. */
export type Attributes = Readonly<Record<string, string | number | boolean | readonly number[] | undefined>>;

const quoted = (text: string) => text.replace(/&/g, "&amp;").replace(/</g, "&lt;").replace(/"/g, "&quot;");

/** Writes one XML element; MJCF is built from these, never from pasted strings. */
export function element(name: string, attributes: Attributes = {}, ...children: readonly string[]): string {
  const written = Object.entries(attributes)
    .filter(([, value]) => value !== undefined)
    .map(([key, value]) => ` ${key}="${quoted(Array.isArray(value) ? value.join(" ") : String(value))}"`)
    .join("");
  return children.length === 0 ? `<${name}${written}/>` : `<${name}${written}>${children.join("")}</${name}>`;
}
