/** `nomoat inspect`: a look into an adapter, or at data (inspect-data.ts). */
import type { Command } from 'commander';
import { toggle } from '../settings/fields.ts';
import { inspectOptions } from '../settings/inspect-settings.ts';
import { bare } from './bare-command.ts';
import { addFlags, flagsOf } from './flags.ts';
import { renderComparison, renderInspection } from './inspect-adapter.ts';
import { dataCommand } from './inspect-data.ts';
import { paced } from './inspect-text.ts';
import { print } from './print.ts';
import { inCommandWords } from './words.ts';

const table = { ...inspectOptions, json: toggle(false, 'as one JSON object, with every number') };

export function command(): Command {
  const command = bare('inspect').argument('<RUN|ADAPTER>', 'a run, one of its checkpoints, a PEFT folder, a .safetensors file or a GGUF LoRA'); // biome-ignore format: one line
  // Both have `--json` and `--model`: what stands behind `data` is its own.
  command.enablePositionalOptions().addCommand(dataCommand());
  return addFlags(command, table).action(async (adapter: string) => {
    const { clean, intruders, json, model, with: other } = flagsOf(command, table);
    const show = <T>(found: T, render: (found: T) => string): void =>
      print(json ? JSON.stringify(found) : inCommandWords(render(found)));
    if (other !== null) {
      const { compareAdapters } = await import('../library/compare-adapters.ts');
      return show(await paced((pace) => compareAdapters({ adapter, other, model, ...pace })), renderComparison);
    }
    const { inspectAdapter } = await import('../library/inspect.ts');
    const given = { adapter, model, intruders, ...(clean.length > 0 ? { clean } : {}) };
    show(await paced((pace) => inspectAdapter({ ...given, ...pace })), renderInspection);
  });
}
