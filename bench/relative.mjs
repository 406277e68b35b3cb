/** Distance of arrays of numbers, all of them together, over the length of the second ones: how far gradients are apart. */
export function relative(ours, theirs) {
  let [difference, norm] = [0, 0];
  for (const [i, values] of ours.entries())
    for (const [k, value] of values.entries()) [difference, norm] = [difference + (value - theirs[i][k]) ** 2, norm + theirs[i][k] ** 2];
  return Math.sqrt(difference / norm);
}
