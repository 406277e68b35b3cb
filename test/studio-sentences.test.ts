/**
 * What the library says on pages of the studio, in other languages than its own: the sentences of the sources whose notes, reasons and faults reach a
 * page are read out of them, and each has its words; what is in a catalogue is said somewhere.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseAst } from 'rolldown/parseAst';
import { expect, test } from 'vitest';
import { pageSettings } from '../src/server/studio/parameters.ts';
import { furtherNames, inWords } from '../studio/pages/settings.tsx';
import { errorSentences, serverSentences } from '../studio/words/codes.ts';
import { zhSaid, zhSentences } from '../studio/words/sentences/zh.ts';
import { zhSettings } from '../studio/words/sentences/zh-settings.ts';
import { sentencesOf, translated } from '../studio/words/sentences.ts';

const src = join(import.meta.dirname, '../src');

/** What stands in a source as text, `{}` where something is filled in. */
function textsOf(file: string): string[] {
  const found: string[] = [];
  const visit = (node: unknown): void => {
    if (typeof node !== 'object' || node === null) return;
    const { quasis, type, value } = node as {
      readonly type?: string;
      readonly value?: unknown;
      readonly quasis?: readonly { readonly value: { readonly cooked: string } }[];
    };
    if (type === 'Literal' && typeof value === 'string') found.push(value);
    if (type === 'TemplateLiteral' && quasis) found.push(quasis.map((each) => each.value.cooked).join('{}'));
    for (const each of Object.values(node)) visit(each);
  };
  visit(parseAst(readFileSync(join(src, file), 'utf8'), { lang: 'ts' }));
  return found;
}

/** Sources whose sentences are seen on a page. A further one belongs here once a page shows what it says. */
const seen = `
text/chat-template.ts
text/compose-answer.ts
text/conversation-place.ts
text/left-out.ts
text/message-contents.ts
text/message-flags.ts
text/messages.ts
text/preferences.ts
text/prompt-completion.ts
text/prompt-markup.ts
text/record-remedies.ts
text/records.ts
text/refused.ts
text/thoughts.ts
text/tool-calls.ts
text/unroll.ts
text/weights.ts
tokens/encode-example.ts
tokens/pairs.ts
tokens/rows.ts
tokens/remedy.ts
tokens/trainable.ts
tokens/spelled-control.ts
dataset/learnt-from.ts
dataset/prepare.ts
dataset/own-answers.ts
dataset/read-data-file.ts
dataset/seen-keys.ts
dataset/likely-columns.ts
dataset/dataset-files.ts
dataset/collect-rows.ts
data-checks/before-training.ts
data-checks/characters.ts
data-checks/languages.ts
data-checks/repeated-rows.ts
data-checks/row-shapes.ts
data-checks/shared-rare-words.ts
data-checks/tokens-of-rows.ts
data-checks/personal/key-forms.ts
data-checks/personal/national-numbers.ts
plan/setting-warnings.ts
plan/plan-variants.ts
formats/atomic-write.ts
settings/defaults-from-data.ts
run/begin-run.ts
run/engine.ts
run/event-log.ts
run/finish-run.ts
run/preference-verdict.ts
run/proof-place.ts
run/prove-result.ts
run/quick-safety.ts
run/quick-verdict.ts
run/resumed-decision.ts
run/samples-on-the-way.ts
run/samples.ts
run/show-result.ts
run/start-run.ts
run/train-run.ts
run/worker-death.ts
train/trainer.ts
train/finite.ts
records/file-kinds.ts
records/data-files.ts
records/csv-records.ts
records/json-faults.ts
records/json-records.ts
records/line-reader.ts
records/wrapped-json.ts
records/data-folders.ts
records/byte-source.ts
records/text-source.ts
safety/sentences.ts
safety/safety-prompt.ts
safety/quick-check.ts
models/model-notes.ts
store/licenses.ts
library/check-sentences.ts
library/check-target.ts
library/answer-sources.ts
library/token-changes.ts
library/logit-lens.ts
library/inspect.ts
library/merge-adapters.ts
library/merge-faults.ts
library/merge-inputs.ts
merge/regmean.ts
library/merge-losses.ts
library/preview.ts
library/pack-bundle.ts
library/verify-bundle.ts
library/push-folder.ts
server/asked-model.ts
server/model-pool.ts
chat/refusals.ts
server/studio/assets.ts
server/studio/call-library.ts
server/studio/chat-store.ts
server/studio/data-sets.ts
server/studio/door.ts
server/studio/places.ts
server/studio/pulls.ts
server/studio/task-routes.ts
`
  .trim()
  .split('\n');

/** Texts of those sources that nobody reads on a page: of programs, of the command line, and parts that are no words. */
const unread = new Set<string>([
  // Ways to tell files by their beginnings.
  'SQLite format 3',
  'version https://git-lfs',
  // Names, which licenses have said in their own words.
  'Gemma Terms of Use',
  'Built with Llama 2',
  'Built with Meta Llama 3',
  'Built with Llama',
]);

/** Two words, at least: what is shorter is a name. */
const isSentence = (text: string): boolean => text.length > 14 && /[a-z] [a-z]/.test(text) && !/\{%|\(\?/.test(text);

test('what pages show of the library has its words in Chinese', () => {
  const missing = seen.flatMap((file) =>
    textsOf(file)
      .filter((text) => isSentence(text) && !unread.has(text) && !Object.hasOwn(zhSentences, text))
      .map((text) => `${file}: ${text}`),
  );
  expect(seen.length).toBeGreaterThan(80);
  expect([...new Set(missing)]).toEqual([]);
});

test('what is in the catalogue is said somewhere, and nothing that is filled in is lost', () => {
  const files = readdirSync(src, { recursive: true, encoding: 'utf8' }).filter(
    (name) => name.endsWith('.ts') && !name.endsWith('.test.ts'),
  );
  const said = new Set(files.flatMap(textsOf));
  const stale = Object.keys(zhSaid).filter((text) => !said.has(text));
  expect(stale).toEqual([]);
  for (const [english, words] of Object.entries(zhSaid)) {
    expect(words, english).toMatch(/\p{Script=Han}|\{\}|NOTICE|^[ -~]+$/u);
    const places = english.split('{}').length - 1;
    const named = [...words.matchAll(/\{(\d)\}/g)].map(([, n]) => Number(n));
    if (named.length === 0) expect(words.split('{}').length - 1, english).toBe(places);
    for (const n of named) expect(n, english).toBeLessThanOrEqual(places);
  }
});

const zh = sentencesOf(zhSentences);

test('each setting that a page shows has its name and what it does in Chinese', () => {
  const { properties } = pageSettings();
  const names = furtherNames(properties);
  const shown = names.flatMap((name) => [inWords(name), properties[name]!.description!]);
  expect(names.length).toBeGreaterThan(30);
  expect(shown.filter((text) => !Object.hasOwn(zhSettings, text))).toEqual([]);
  expect(Object.keys(zhSettings).filter((text) => !shown.includes(text))).toEqual([]);
});

test('what the server refuses with by codes of its own has a sentence', () => {
  const files = readdirSync(join(src, 'server'), { recursive: true, encoding: 'utf8' }).filter((name) =>
    /(?<!\.test)\.ts$/.test(name),
  );
  const text = files.map((name) => readFileSync(join(src, 'server', name), 'utf8')).join('\n');
  const codes = [...text.matchAll(/(?:\bcode: |wrongParameter\([^,]+, )'([a-z]+(?:_[a-z]+)+)'/g)].map(
    ([, code]) => code!,
  );
  expect(new Set(codes).size).toBeGreaterThan(30);
  const known = { ...serverSentences['zh-Hans'], ...errorSentences['zh-Hans'] };
  expect([...new Set(codes)].filter((code) => !Object.hasOwn(known, code.replaceAll('_', '-')))).toEqual([]);
});

test.each([
  ['has no supervised token', '没有可学的词元'],
  [
    'Chosen from the data: sequence length 64 (longest row 24), batches of 4, learning rate 0.005 (width 192).',
    '根据数据选定：序列长度 64（最长的一行 24），每批 4 行，学习率 0.005（宽度 192）。',
  ],
  [
    'notes.docx: is a zip or spreadsheet file. Unpack it, or export it as CSV.',
    'notes.docx：是zip 或电子表格文件。请解包，或者导出为 CSV。',
  ],
  // Names of the reader's data stay what they are, whatever they are called.
  [
    't.csv: has two columns named "password". Give every column a name of its own in the first line.',
    't.csv：有两列都叫“password”。请在第一行给每一列各自的名称。',
  ],
  // Sentences in sentences.
  ['Held out: 2 rows refused: the completion is empty.', '留出的行中拒绝了 2 行：回答是空的。'],
])('%s', (text, words) => {
  expect(translated(text, zh)).toEqual({ text: words, whole: true });
});

test('what is not known stays, and texts of data are not looked through', () => {
  expect(translated('Nobody says this.', zh)).toBeNull();
  expect(translated('x'.repeat(1e6), zh)).toBeNull();
  expect(translated('The checkpoint grew wings. There is no such file.', zh)).toEqual({
    text: 'The checkpoint grew wings. 没有这个文件。',
    whole: false,
  });
});
