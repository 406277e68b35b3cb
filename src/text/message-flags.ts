/**
 * Marks on messages that keep an answer out of the loss, as data sets of other trainers write them. Promises: each is obeyed, or noted
 * where it says nothing that can be obeyed; marks that contradict each other are refused. Pure.
 */
import { plainNumber } from '../formats/exact-json.ts';
import { type Fields, RecordRefused } from './refused.ts';
import { checkedWeight, numberIn, weightKey } from './weights.ts';

/** What a mark's truth means: `learn` (OpenAI's weight, Axolotl's train, ...), or `leave`, a mask over what is not learnt. */
const flags: Readonly<Record<string, 'learn' | 'leave'>> = {
  weight: 'learn',
  train: 'learn',
  training: 'learn',
  trainable: 'learn',
  loss: 'learn',
  supervise: 'learn',
  supervised: 'learn',
  learn: 'learn',
  mask: 'leave',
  masked: 'leave',
  ignore: 'leave',
};
export const flagNames: readonly string[] = Object.keys(flags);

const spelt: Readonly<Record<string, boolean>> = {
  true: true,
  false: false,
  yes: true,
  no: false,
  '1': true,
  '0': false,
};

/** What a mark has the answer count: a weight, or 1 and 0 for those that say whether it is learnt. */
function countOf(name: string, value: unknown, where: string): number {
  const weight = name === weightKey ? numberIn(value) : null;
  if (weight !== null) return checkedWeight(weight, where);
  return Number(truthOf(name, value, where) === (flags[name] === 'learn'));
}

function truthOf(name: string, value: unknown, where: string): boolean {
  const plain = plainNumber(value);
  const truth = spelt[String(plain).toLowerCase()];
  if (typeof plain !== 'object' && truth !== undefined) return truth;
  const shown = (JSON.stringify(plain) ?? String(plain)).slice(0, 40);
  throw new RecordRefused(`the mark "${name}" of a message is neither true nor false`, `${where}: ${shown}`);
}

/**
 * The weight that a message's marks give its answer: what its tokens' loss counts, 0 keeps it out; absent where nothing is marked. On other roles marks
 * change nothing (they are never learnt) and a mark to learn them is noted. Throws RecordRefused.
 */
export function weightOf(message: Fields, role: string, where: string, notes: Set<string>): { weight?: number } {
  const given = flagNames.filter((name) => message[name] !== undefined && message[name] !== null);
  if (given.length === 0) return {};
  const counts = given.map((name) => countOf(name, message[name], where));
  const learnt = counts.map((count) => count > 0);
  if (new Set(learnt).size > 1)
    throw new RecordRefused('the marks of a message contradict each other', `${where}: ${given.join(', ')}`);
  if (role !== 'assistant') {
    if (learnt[0]) notes.add(`the mark "${given[0]}" of a ${role} message is not obeyed: only answers are learnt`);
    return {};
  }
  const others = given.filter((name) => name !== 'weight');
  if (!learnt[0] && others.length > 0)
    notes.add(`answers marked ${others.map((name) => `"${name}"`).join(', ')} are kept out of the loss`);
  // Marks that are not weights count 1 where they want the answer learnt.
  return { weight: counts[given.indexOf(weightKey)] ?? counts[0]! };
}
