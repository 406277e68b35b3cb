/** Rows of random tokens, every one supervised, the same each time; `work` such as 4x256: rows and tokens of each. */
export function randomRows({ vocabulary }, work) {
  let state = 1;
  const token = () => (state = (Math.imul(state, 1664525) + 1013904223) >>> 0) % vocabulary;
  const [count, length] = work.split('x').map(Number);
  return Array.from({ length: count }, () => ({ tokens: Int32Array.from({ length }, token), supervised: new Uint8Array(length).fill(1) }));
}
