/** `nomoat quickstart`: the whole way on data and a model that come with the package. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Command } from 'commander';
import type { ChatModel } from '../chat/chat-model.ts';
import { readExamples } from '../dataset/dataset-files.ts';
import type { AskedQuestion, ExactMatch } from '../evaluate/exact-match.ts';
import { assertRunWritable } from '../run/open-run.ts';
import { startRun } from '../run/start-run.ts';
import { openText, text } from '../settings/fields.ts';
import { resolveSettings } from '../settings/load.ts';
import { defaultModel } from '../settings/options.ts';
import { harmless } from '../words/harmless.ts';
import { shellQuote } from '../words/shell-quote.ts';
import { bare } from './bare-command.ts';
import { commandName } from './command-name.ts';
import { addFlags, flagsOf } from './flags.ts';
import { follow } from './follow.ts';
import { errorText } from './words.ts';

const data = fileURLToPath(new URL('../../examples/intents', import.meta.url));
/**
 * Enough passes for a toy (docs/log/quickstart-and-audits.md has the figures). The checkpoint is chosen on a part of
 * the training data, so that the scored sentences stay unseen.
 */
const settings = {
  validation: '0.125',
  epochs: 6,
  batchSize: 8,
  rank: 16,
  alpha: 32,
  learningRate: 2e-3,
  sequenceLength: 128,
};
/** A larger model needs fewer passes and smaller steps. */
const settingsOfOthers = { ...settings, epochs: 2, learningRate: 1e-3 };
const shownExamples = 4;

const say = (text: string): void => void process.stderr.write(`${harmless(text)}\n`);

async function heldOut(): Promise<AskedQuestion[]> {
  const { train } = await readExamples([join(data, 'valid.jsonl')], {
    format: 'auto',
    promptColumn: null,
    completionColumn: null,
    textColumn: null,
  });
  return train.flatMap((example) =>
    example.kind === 'completion'
      ? [{ messages: [{ role: 'user' as const, content: example.prompt }], expected: example.completion }]
      : [],
  );
}

/** runs/quickstart, or the first of runs/quickstart-2, ... that is free. */
function freeFolder(): string {
  const name = join('runs', 'quickstart');
  for (let n = 1; ; n++) {
    const path = n === 1 ? name : `${name}-${n}`;
    if (!existsSync(path)) return path;
  }
}

async function scoreOf(model: string, questions: readonly AskedQuestion[]): Promise<ExactMatch> {
  const { exactMatch } = await import('../evaluate/exact-match.ts');
  const { chat } = await import('../library.ts');
  const opened: ChatModel = await chat({ model });
  try {
    return await exactMatch(opened, questions);
  } finally {
    await opened.close();
  }
}

async function scoreLine({ right, total }: ExactMatch): Promise<string> {
  const { wilsonInterval } = await import('../evaluate/statistics/proportions.ts');
  const [low, high] = wilsonInterval(right, total).map((share) => (share * 100).toFixed(0));
  return `${right} of ${total} right (${((right / total) * 100).toFixed(0)}%, 95% interval ${low} to ${high}%)`;
}

function showAnswers(questions: readonly AskedQuestion[], before: ExactMatch, after: ExactMatch): void {
  const every = Math.floor(questions.length / shownExamples);
  for (let i = 0; i < shownExamples; i++) {
    const at = i * (every + 1);
    const { messages, expected } = questions[at]!;
    say(`\n  ${messages[0]!.content}\n    expected  ${expected}`);
    say(
      `    before    ${before.answers[at]!.replaceAll('\n', ' ').slice(0, 100)}\n    after     ${after.answers[at]!.slice(0, 100)}`,
    );
  }
}

/** A chat with the result; where nobody is there to chat, how to. */
async function offerChat(run: string): Promise<void> {
  if (!process.stdin.isTTY) {
    say(`\nChat with it:  ${commandName()} chat ${shellQuote(run)}`);
    return;
  }
  say('\nNow ask it something, such as: play some jazz');
  const { runTerminalChat } = await import('../chat/terminal.ts');
  const { chat } = await import('../library.ts');
  const opened = await chat({ model: run });
  try {
    process.exitCode = await runTerminalChat({
      model: opened,
      sampling: { temperature: 0 },
      input: process.stdin,
      output: process.stdout,
      notices: process.stderr,
      errorText,
    });
  } finally {
    await opened.close();
  }
}

const options = {
  model: text(defaultModel, 'NAME|FILE.gguf', 'another model, such as smollm2-135m once it is pulled'),
  run: openText('DIR', 'the folder of the run; default runs/quickstart'),
};

export function command(): Command {
  const command = addFlags(bare('quickstart'), options);
  return command.action(async () => {
    const { model, run } = flagsOf(command, options);
    const questions = await heldOut();
    const path = run ?? freeFolder();
    const chosen = await resolveSettings(
      [join(data, 'train.jsonl')],
      { ...(model === defaultModel ? settings : settingsOfOthers), model, run: path },
      null,
    );
    // Before the model is asked what it can do, which takes longer than the training of a toy.
    assertRunWritable(chosen.run);
    say(`Task: what does the sentence ask for? 280 examples to learn from, ${questions.length} held out (SNIPS, CC0).`);
    const before = await scoreOf(chosen.modelPath, questions);
    const beforeLine = await scoreLine(before);
    say(`Before: ${beforeLine}`);
    const code = await follow(startRun(chosen), false);
    if (code !== 0) {
      process.exitCode = code;
      return;
    }
    const after = await scoreOf(path, questions);
    showAnswers(questions, before, after);
    say(`\nBefore: ${beforeLine}\nAfter:  ${await scoreLine(after)}`);
    await offerChat(path);
  });
}
