/** What a run says on the model card of its adapter or model. Pure. */
import { basename } from 'node:path';
import type { CardInfo } from '../adapter/card.ts';
import { trainsAdapter } from '../settings/methods.ts';
import type { RunSettings } from '../settings/run-settings.ts';
import { withPaths } from '../store/stack.ts';
import type { TrainerState } from '../train/trainer-state.ts';
import { version } from './version.ts';

/** Where the run stood when its result was taken. */
export type CardState = Pick<TrainerState, 'bestLoss' | 'bestStep' | 'step' | 'validationBefore'>;

/** All that its weights do not say. */
export function runCard(settings: RunSettings, state: CardState, stepsPerEpoch: number): Partial<CardInfo> {
  // The result is the best checkpoint's, and a run may have ended before its passes did.
  const steps = state.bestStep ?? state.step;
  const { bestLoss: after, validationBefore: before } = state;
  const names = (stack: string): string => withPaths(stack, (path) => basename(path));
  const below = settings.frozenAdapter ? names(settings.frozenAdapter) : null;
  return {
    ...(below === null
      ? {}
      : {
          warnings: [
            `It was trained on top of ${below}, and is nothing without: give llama.cpp frozen.gguf beside adapter.gguf; nomoat does so by itself, and \`nomoat export --to merged-gguf\` makes one model of all.`,
          ],
        }),
    data: settings.data.map((path) => basename(path)),
    settings: {
      'learning rate': settings.learningRate,
      schedule: settings.schedule,
      epochs: Number((steps / stepsPerEpoch).toFixed(2)),
      'batch size': settings.batchSize,
      steps,
      seed: settings.seed,
      ...(settings.initialAdapter ? { 'initial adapter': names(settings.initialAdapter) } : {}),
    },
    ...(after === null || before === null
      ? {}
      : { figures: [{ name: 'validation loss (nats per supervised token)', before, after }] }),
    files: trainsAdapter(settings.method) ? { ggufLora: 'adapter.gguf' } : {},
    version,
  };
}
