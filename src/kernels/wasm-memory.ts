/** A module of ours in WebAssembly with its memory, of which whoever calls it lays out what comes and goes. */

/** What every module of native/wasm has. */
export interface WasmModule {
  readonly memory: WebAssembly.Memory;
  /** The end of what the module itself needs, in bytes. */
  heap(): number;
}

/** WebAssembly's memory grows by pages of this many bytes. */
const pageBytes = 65_536;
const aligned = (bytes: number): number => (bytes + 15) & ~15;

/** An instance from the module's bytes in base64. */
export const instantiate = <T extends WasmModule>(wasm: string): T =>
  new WebAssembly.Instance(new WebAssembly.Module(Buffer.from(wasm, 'base64'))).exports as object as T;

/** Where buffers of these bytes lie, one behind the other; the memory has grown to hold them. */
export function places({ heap, memory }: WasmModule, sizes: readonly number[]): number[] {
  let end = aligned(heap());
  const starts = sizes.map((bytes) => {
    const start = end;
    end += aligned(bytes);
    return start;
  });
  const missing = end - memory.buffer.byteLength;
  if (missing > 0) memory.grow(Math.ceil(missing / pageBytes));
  return starts;
}
