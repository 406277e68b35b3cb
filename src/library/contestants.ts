/** Who is evaluated, by what they are named: a model, a run, or the folder of a run's repeats with other seeds. */

import { basename } from 'node:path';
import { NomoatError } from '../errors.ts';
import type { Answered } from '../evaluate/evaluate-answers.ts';
import type { ExampleLoss } from '../evaluate/likelihood/loss.ts';
import type { TestQuestion } from '../evaluate/test-set.ts';
import { RunFolder } from '../run/run-folder.ts';
import { endedRuns, isSeedSet, openSeedSet } from '../run/seed-set.ts';
import { isRun } from '../settings/load.ts';
import { trainsAdapter } from '../settings/methods.ts';
import { parseModelStack, stackText } from '../store/stack.ts';
import { type MeasureOptions, measureModel } from './measure-model.ts';
import { learntQuestions } from './test-data.ts';

/** One of those that are compared. */
export interface Contestant {
  /** As sentences call it; no two have the same. */
  readonly name: string;
  /** Models to open: one, or each repeat. */
  readonly members: readonly string[];
}

/** The first of a stack, which says what the others stand on; all else is itself. */
const firstOf = (given: string): string => parseModelStack(given)?.first.path ?? given;

/** The models that are meant. Throws NomoatError where no repeat of a set has ended. */
function membersOf(given: string): readonly string[] {
  if (!isSeedSet(given)) return [given];
  const ended = endedRuns(openSeedSet(given));
  if (ended.length === 0)
    throw new NomoatError({
      part: given,
      fault: 'has no repeat that has ended',
      remedy: 'Go on with them: `resumeTuneSeeds`.',
    });
  return ended.map(({ run }) => run);
}

/** Who a model is compared with where nobody says: a run, or a stack, with its base. */
export function usualRivals(given: string): readonly string[] {
  const member = firstOf(membersOf(given)[0]!);
  // A base that is named with adapters is what they are compared with.
  if (!isRun(member)) return member === given ? [] : [member];
  const { settings } = new RunFolder(member).read();
  return trainsAdapter(settings.method) ? [settings.modelPath] : [];
}

/** A file by its name, a run by its folder's; of a stack each. */
function shownName(given: string): string {
  const stack = parseModelStack(given);
  if (stack === null) return basename(given).replace(/\.gguf$/i, '') || given;
  return stackText([stack.first, ...stack.adapters].map(({ path, scale }) => ({ path: shownName(path), scale })));
}

/** In the order given; the same model may be there twice. */
export function contestantsOf(given: readonly string[]): Contestant[] {
  const times = new Map<string, number>();
  return given.map((each) => {
    const name = shownName(each);
    times.set(name, (times.get(name) ?? 0) + 1);
    return { name: times.get(name) === 1 ? name : `${name} (${times.get(name)})`, members: membersOf(each) };
  });
}

/** Of each example the mean over repeats, of which the answers are the same and so are their tokens. */
const meanLosses = (losses: readonly (readonly ExampleLoss[])[]): ExampleLoss[] =>
  losses[0]!.map((loss, i) => ({ ...loss, nats: losses.reduce((sum, own) => sum + own[i]!.nats, 0) / losses.length }));

/** What one member is called in what is told. */
export const nameOfMember = ({ members, name }: Contestant, member: string): string =>
  members.length > 1 ? `${name}, ${shownName(member)}` : name;

/** What was found of the members of one, as one. */
export function combined(name: string, found: readonly Answered[]): Answered {
  const [first] = found;
  if (found.length === 1) return first!;
  const sum = (of: (answered: Answered) => number): number => found.reduce((all, each) => all + of(each), 0);
  const costs = { seconds: sum((each) => each.costs.seconds), computed: sum((each) => each.costs.computed) };
  const losses = found.flatMap((each) => (each.losses ? [each.losses] : []));
  return {
    name,
    answers: first!.answers,
    seeds: found.map(({ answers, samples = [answers] }) => samples),
    costs,
    ...(first!.given ? { given: found.flatMap(({ given }) => given ?? []) } : {}),
    ...(losses.length > 0 ? { losses: meanLosses(losses) } : {}),
  };
}

/** What was measured of one; of repeats, of all of them. Rejects with NomoatError. */
export async function measureContestant(
  contestant: Contestant,
  asked: readonly TestQuestion[],
  options: MeasureOptions,
): Promise<Answered> {
  const { members, name } = contestant;
  const found: Answered[] = [];
  for (const model of members)
    found.push(await measureModel({ model, name: nameOfMember(contestant, model) }, asked, options));
  return combined(name, found);
}

/** What any member learnt, each question once; null where that is not known of any. */
export async function learntBy({ members }: Contestant): Promise<readonly TestQuestion[] | null> {
  const learnt = (await Promise.all(members.map(learntQuestions))).flatMap((questions) => questions ?? []);
  if (learnt.length === 0) return null;
  return [...new Map(learnt.map((question) => [JSON.stringify(question), question])).values()];
}
