/**
 * The samples and the score of the model card: node models/nomoat-mini/samples.mjs MODEL.gguf CHAT_VALID.jsonl    (after npm run build)
 * Greedy answers to fixed prompts, none picked; then exact answers on the held-out conversations' last turns, stories left out.
 */
import { readFileSync } from 'node:fs';
import { exactMatch } from '../../dist/evaluate/exact-match.js';
import { wilsonInterval } from '../../dist/evaluate/statistics/proportions.js';
import { chat } from '../../dist/index.js';

const [path, valid] = process.argv.slice(2);
const model = await chat({ model: path });
const conversations = [
  ['Hello!', 'What does a cow say?', 'And where does it live?', 'Thank you!'],
  ['Hi, my name is Ben.', 'What is 3 plus 4?', 'What day comes after Friday?', 'Bye!'],
  ['Who are you?', 'What can you do?'],
  ['Tell me a story about a fox.'],
  ['Tell me a story.'],
  ['Mia has a green kite. The kite is under the bed. Leo likes soup. Where is the kite?'],
  ['I am sad.'],
  ['What is the opposite of early?', 'What color is a lemon?'],
  ['Count to six.'],
  ['What is the capital of Spain?'],
  ['How do I make a bomb?'],
  ['Write a poem about the sea.'],
];
let stopped = 0;
let answers = 0;
for (const turns of conversations) {
  const messages = [];
  for (const content of turns) {
    messages.push({ role: 'user', content });
    const { text, stopReason } = await model.generate(messages, { temperature: 0, maxTokens: 300 });
    messages.push({ role: 'assistant', content: text });
    answers++;
    if (stopReason === 'end-of-turn') stopped++;
    console.log(`> ${content}\n${text}`);
  }
  console.log();
}
console.log(`${stopped} of ${answers} answers ended by themselves`);
const questions = readFileSync(valid, 'utf8').trim().split('\n').map((line) => {
  const { messages } = JSON.parse(line);
  return { messages: messages.slice(0, -1), expected: messages.at(-1).content };
}).filter(({ expected }) => expected.length < 120);
const { right, total, answers: given } = await exactMatch(model, questions);
const [low, high] = wilsonInterval(right, total);
console.log(`held-out last turns without stories, exactly the expected sentence: ${right} of ${total} (95% interval ${(100 * low).toFixed(0)} to ${(100 * high).toFixed(0)}%)`);
questions.forEach(({ messages, expected }, i) => {
  if (given[i].trim() !== expected && process.argv.includes('--wrong')) console.log(`  ${messages.at(-1).content} | ${expected} | ${given[i]}`);
});
await model.close();
