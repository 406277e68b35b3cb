/**
 * Requests of every day that a base answers itself, so that a run can be held to those answers (dataset/own-answers.ts). Promises: none of them is
 * among those that drift is measured on (ordinary-prompts.ts); one order, drawn once, so that its beginning is a fair sample of all. Pure.
 */
import { shuffled } from '../batches/order.ts';

/** Written for nomoat and under its licence, as the subjects are. */
const forms: readonly ((subject: string) => string)[] = [
  (subject) => `What should a beginner know about ${subject}?`,
  (subject) => `Explain ${subject} to a child.`,
  (subject) => `Write a short poem about ${subject}.`,
  (subject) => `Give me five tips on ${subject}.`,
  (subject) => `Write an e-mail that invites friends to an evening about ${subject}.`,
  (subject) => `What do people often get wrong about ${subject}?`,
  (subject) => `Tell me a story of three sentences about ${subject}.`,
  (subject) => `Is ${subject} expensive?`,
  (subject) => `Suggest a title for an article about ${subject}.`,
  (subject) => `Who could help me with ${subject}?`,
  (subject) => `Make a table of the advantages and disadvantages of ${subject}.`,
  (subject) => `I have one hour a week for ${subject}. How do I use it?`,
  (subject) => `Translate into French: "I would like to learn more about ${subject}."`,
  (subject) => `How has ${subject} changed in the last hundred years?`,
  (subject) => `Name three books or films about ${subject}.`,
  (subject) => `Write three questions for a quiz about ${subject}.`,
];

const subjects: readonly string[] = [
  'gardening',
  'photography',
  'baking bread',
  'the solar system',
  'travelling by train',
  'chess',
  'looking after a dog',
  'personal budgets',
  'programming in Python',
  'swimming',
  'learning Japanese',
  'the Roman Empire',
  'job interviews',
  'renewable energy',
  'playing the guitar',
  'repairing bicycles',
  'sleep',
  'statistics',
  'hiking in the mountains',
  'opera',
];

/** Neighbours share neither form nor subject as a rule. */
const orderSeed = 0;

/** 320 requests. */
export const everydayPrompts: readonly string[] = (() => {
  const all = subjects.flatMap((subject) => forms.map((form) => form(subject)));
  return shuffled(all.length, orderSeed).map((i) => all[i]!);
})();
