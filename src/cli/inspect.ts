/** `nomoat inspect`: a look into an adapter or a whole model, or at data (inspect-data.ts). */
import type { Command } from 'commander';
import { showsColour } from '../chat/terminal-abilities.ts';
import { NomoatError } from '../errors.ts';
import { toggle } from '../settings/fields.ts';
import { inspectOptions } from '../settings/inspect-settings.ts';
import { bare } from './bare-command.ts';
import { addFlags, flagsOf, givenFlags } from './flags.ts';
import { renderComparison, renderInspection, renderSoftened } from './inspect-adapter.ts';
import { renderLens, renderSources, renderTokenChanges } from './inspect-answers.ts';
import { dataCommand } from './inspect-data.ts';
import { renderModel } from './inspect-model.ts';
import { paced } from './inspect-text.ts';
import { print } from './print.ts';
import { inCommandWords } from './words.ts';

const table = { ...inspectOptions, json: toggle(false, 'as one JSON object, with every number') };

/** What is looked at instead of the adapter's weights: one of them at a time. */
const views = ['with', 'data', 'lens', 'answer', 'soften'] as const;

function assertOneView(given: readonly string[]): void {
  if (given.length < 2) return;
  throw new NomoatError({
    code: 'invalid-settings',
    part: given.map((name) => `--${name}`).join(' and '),
    fault: 'show different things',
    remedy: 'Give one of them.',
  });
}

/** Flags of some views, and those: elsewhere they would mean nothing. null is the look at the weights. */
const flagViews: Readonly<Record<string, readonly ((typeof views)[number] | null)[]>> = {
  model: ['with', 'data', 'lens', 'soften', null],
  prompt: ['answer'],
  seconds: ['answer'],
  factor: ['soften'],
  limit: ['data'],
  clean: [null],
  intruders: [null],
};
const spelled: Readonly<Record<string, string>> = { intruders: 'no-intruders' };

/** Refuses what the view that is asked for does not look at. */
function assertMeansSomething(given: readonly string[], view: (typeof views)[number] | null): void {
  const idle = given.find((name) => flagViews[name]?.includes(view) === false);
  if (idle === undefined) return;
  const [of] = flagViews[idle]!;
  throw new NomoatError({
    code: 'invalid-settings',
    part: `--${spelled[idle] ?? idle}`,
    fault: view === null ? 'is of no use here' : `is of no use with --${view}`,
    remedy: of === null ? `Leave out --${view}.` : `It goes with --${of}.`,
  });
}

/** A model has no factors whose spectrum could be held against that of adapters. */
function assertNoClean(clean: readonly string[]): void {
  if (clean.length === 0) return;
  throw new NomoatError({
    code: 'invalid-settings',
    part: '--clean',
    fault: 'is of no use with a whole model',
    remedy: 'Take out what was tuned as an adapter (`nomoat extract TUNED BASE`), and look into that.',
  });
}

export function command(): Command {
  const command = bare('inspect').argument(
    '<RUN|ADAPTER|MODEL>',
    'a run, one of its checkpoints, a PEFT folder, a .safetensors file, a GGUF LoRA or a whole model',
  );
  // Both have `--json` and `--model`: what stands behind `data` is its own.
  command.enablePositionalOptions().addCommand(dataCommand());
  return addFlags(command, table).action(async (adapter: string) => {
    const { answer, data, json, lens, limit, model, soften, with: other, ...flags } = flagsOf(command, table);
    const given = { with: other, data: data.length > 0 && soften === null ? data : null, lens, answer, soften };
    const chosen = views.filter((name) => given[name] !== null);
    assertOneView(chosen);
    assertMeansSomething(Object.keys(givenFlags(command, table)), chosen[0] ?? null);
    const show = <T>(found: T, render: (found: T) => string): void =>
      print(json ? JSON.stringify(found) : inCommandWords(render(found)));
    if (other !== null) {
      const { compareAdapters } = await import('../library/compare-adapters.ts');
      return show(await paced((pace) => compareAdapters({ adapter, other, model, ...pace })), renderComparison);
    }
    if (soften !== null) {
      const { softenAdapter } = await import('../library/soften-adapter.ts');
      const asked = { adapter, model, factor: flags.factor, out: soften, ...(data.length > 0 ? { data } : {}) };
      return show(await paced((pace) => softenAdapter({ ...asked, ...pace })), renderSoftened);
    }
    if (data.length > 0) {
      const { tokenChanges } = await import('../library/token-changes.ts');
      const found = await paced((pace) => tokenChanges({ adapter, model, data, limit, ...pace }));
      // Its colours are codes, which `print` would show.
      if (!json)
        return void process.stdout.write(`${inCommandWords(renderTokenChanges(found, showsColour(process.stdout)))}\n`);
      return print(JSON.stringify(found));
    }
    if (answer !== null) {
      const { answerSources } = await import('../library/answer-sources.ts');
      const asked = { run: adapter, answer, prompt: flags.prompt, seconds: flags.seconds };
      return show(await paced((pace) => answerSources({ ...asked, ...pace })), renderSources);
    }
    if (lens !== null) {
      const { logitLens } = await import('../library/logit-lens.ts');
      return show(await paced((pace) => logitLens({ adapter, model, prompt: lens, ...pace })), renderLens);
    }
    const { clean, intruders } = flags;
    const { isWholeModel } = await import('../library/inspect-model-target.ts');
    if (await isWholeModel(adapter)) {
      assertNoClean(clean);
      const { inspectModel } = await import('../library/inspect-model.ts');
      return show(
        await paced((pace) => inspectModel({ model: adapter, base: model, intruders, ...pace })),
        renderModel,
      );
    }
    const { inspectAdapter } = await import('../library/inspect.ts');
    const options = { adapter, model, intruders, ...(clean.length > 0 ? { clean } : {}) };
    show(await paced((pace) => inspectAdapter({ ...options, ...pace })), renderInspection);
  });
}
