/**
 * Test questions answered side by side (as `evaluate` and the end of a run do) beside one at a time, in turns: seconds, processor time, and
 * whether the answers are the same. Medians of the rounds, and the ratio of each round; others who compute on the machine slow both.
 * Usage: node bench/answers.mjs --model FILE.gguf|NAME --data TEST [--adapter RUN|FILE] [--examples 400] [--rounds 3] [--threads N]   (after npm run build)
 */
import { parseArgs } from 'node:util';
import { readExamples } from '../dist/dataset/dataset-files.js';
import { questionOf, testQuestions } from '../dist/dataset/questions.js';
import { askAll } from '../dist/evaluate/ask.js';
import { roomForAnswers } from '../dist/evaluate/test-set.js';
import { openGguf } from '../dist/formats/gguf/read.js';
import { resolveChat } from '../dist/library.js';
import { openTeam } from '../dist/llama/answer-team.js';
import { openChatModel } from '../dist/llama/chat-engine.js';
import { physicalCores } from '../dist/machine/machine.js';

const { values } = parseArgs({
  options: { model: { type: 'string', default: 'nomoat-mini' }, data: { type: 'string' }, adapter: { type: 'string' }, examples: { type: 'string', default: '400' }, rounds: { type: 'string', default: '3' }, threads: { type: 'string' } },
});
const { adapter, data, model } = values;
const threads = Number(values.threads ?? physicalCores());
const { warnings: _, ...resolved } = await resolveChat({ model, ...(adapter ? { adapter } : {}) });
const gguf = openGguf(resolved.modelPath);
const { train } = await readExamples([data], { format: 'auto' });
const questions = testQuestions(train.map((example) => questionOf(example, gguf))).slice(0, Number(values.examples));
gguf.close();
const maxTokens = roomForAnswers(questions);
const longest = 2 * Math.max(...questions.map(({ ask }) => JSON.stringify(ask).length)) + maxTokens;

const alone = await openChatModel({ ...resolved, threads });
const team = await openTeam({ ...resolved, threads, longest });
async function timed(askable, atOnce) {
  const [began, before] = [performance.now(), process.cpuUsage()];
  const answers = await askAll(askable, questions, { maxTokens, atOnce });
  const { system, user } = process.cpuUsage(before);
  return { seconds: (performance.now() - began) / 1000, processor: (system + user) / 1e6, texts: answers.map((answer) => answer?.text) };
}
const median = (numbers) => [...numbers].sort((a, b) => a - b)[Math.floor(numbers.length / 2)];
const rounded = (value) => Number(value.toFixed(3));
const rounds = [];
for (let round = 0; round < Number(values.rounds); round++) {
  // Who begins has the other's warm caches, or not: in turns.
  const order = round % 2 === 0 ? ['one', 'team'] : ['team', 'one'];
  const found = {};
  for (const who of order) found[who] = who === 'one' ? await timed(alone, 1) : await timed(team, team.atOnce);
  rounds.push(found);
  const { one, team: many } = found;
  console.log(JSON.stringify({ round, oneAtATime: rounded(one.seconds), sideBySide: rounded(many.seconds), ratio: rounded(many.seconds / one.seconds), processor: [one, many].map(({ processor }) => rounded(processor)), processorRatio: rounded(many.processor / one.processor), same: many.texts.filter((text, i) => text === one.texts[i]).length }));
}
console.log(JSON.stringify({ examples: questions.length, atOnce: team.atOnce, ratio: rounded(median(rounds.map(({ one, team: many }) => many.seconds / one.seconds))), processorRatio: rounded(median(rounds.map(({ one, team: many }) => many.processor / one.processor))) }));
await alone.close();
await team.close();
