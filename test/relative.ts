/** Distance of two arrays over the length of the second. */
export function relative(ours: Float32Array, theirs: Float32Array): number {
  let difference = 0;
  let norm = 0;
  ours.forEach((value, i) => {
    difference += (value - theirs[i]!) ** 2;
    norm += theirs[i]! ** 2;
  });
  return Math.sqrt(difference / norm);
}
