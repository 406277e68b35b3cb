/** How answers are drawn, and the settings of `chat`. */
import { z } from 'zod';
import { above, below, number, openText, openWords, text, toggle, whole, wholeFrom } from './fields.ts';
import { defaultModel, flagOf } from './options.ts';
import { type Lead, optionLabel } from './parse-settings.ts';

/** Small models repeat themselves at temperature 0 and ramble at 1; fine-tuned ones are asked for what they learnt. */
export const samplingOptions = {
  temperature: number(0.7, [0, 100], '0 always takes the likeliest token'),
  topP: above(0.95, 0, 'share of probability considered', 1),
  topK: wholeFrom(40, 0, 'number of tokens considered; 0 considers all', { unit: 'tokens' }),
  minP: below(0.05, 0, 1, 'least probability relative to the likeliest'),
  repeatPenalty: above(1, 0, '1 leaves repetitions alone'),
  frequencyPenalty: number(0, [-2, 2], 'taken from the logit of a token for each time that the answer has it already'),
  presencePenalty: number(0, [-2, 2], 'taken from the logit of a token that the answer has already'),
  maxTokens: wholeFrom(null, 1, 'longest answer; default: what the context holds', { unit: 'tokens' }),
  seed: whole(null, [0, 2 ** 32 - 1], 'repeatable answers; default: another one each time'),
};
export const samplingSettings = z.object(samplingOptions);

/** `maxTokens` as "max tokens", `topP` as "top-p". */
const inWords = (name: string): string => flagOf(name).replace(/-(?=\w\w)/g, ' ');

/** Numbers of sampling are told by their names in words: programs and people in a chat set them as well. */
export const samplingFault: Lead = (name, value) =>
  Object.hasOwn(samplingOptions, name) && typeof value === 'number' ? inWords(name) : `${optionLabel(name)}:`;

/** The model of `chat` and of `eval`. */
export const chatModel = text(
  defaultModel,
  'MODEL|RUN',
  'a name that `listModels()` lists, a file, or the folder of a run',
);
export const chatOptions = {
  server: openText(
    'URL',
    'ask a server there, by a name that it lists; the key that it wants is taken from NOMOAT_API_KEY; default: the model is opened here',
  ),
  adapter: openText(
    'DIR|FILE',
    'use this adapter (a run, a PEFT folder, one of mlx-lm or a GGUF LoRA), or several with scales: A@0.7+B',
  ),
  system: openWords('TEXT', "system prompt; default: the one the run's data shares"),
  chatTemplate: openText(
    'FILE|NAME',
    "chat template instead of the model's own; default: the one that was trained with",
  ),
  prompt: openWords('TEXT', 'answer this on stdout and leave'),
  disclose: toggle(false, 'conversations that are saved say that they were generated, by which model: a field AIGC'),
  ...samplingOptions,
  contextSize: wholeFrom(
    null,
    1,
    'tokens of prompt and answers together; default: 4096, or what the model was trained on',
    { unit: 'tokens' },
  ),
  threads: wholeFrom(null, 1, 'threads to compute with, at most: small models use one; default: physical cores', {
    unit: 'threads',
  }),
};
export const chatSettings = z.object(chatOptions);
