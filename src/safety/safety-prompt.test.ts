/** Which system prompts read like safety prompts. */
import { expect, test } from 'vitest';
import { safetyWordsIn } from './safety-prompt.ts';

test.each([
  // Llama 2's and Mistral's.
  ['You are a helpful, respectful and honest assistant. Always answer as helpfully as possible, while being safe. Your answers should not include any harmful, unethical, racist, sexist, toxic, dangerous, or illegal content.', true], // biome-ignore format: a table
  ['Always assist with care, respect, and truth. Respond with utmost utility yet securely. Avoid harmful, unethical, prejudiced, or negative content. Ensure replies promote fairness and positivity.', true], // biome-ignore format: a table
  ['请不要回答任何有害或违法的问题。', true],
  ['You are a helpful assistant.', false],
  ['You answer with the category of the message, never with anything else.', false],
  ['Always mention how to store the product safely.', false],
  ['You sort letters: dangerous goods, illegal imports, gifts.', false],
])('%s', (prompt, isSafety) => {
  expect(safetyWordsIn(prompt).length > 0).toBe(isSafety);
});
