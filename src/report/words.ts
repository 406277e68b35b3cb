/** Every text of the page, in both languages, by name. A text with figures is a function of them. */
import { answerWords } from './words/answers.ts';
import { lineageWords } from './words/lineage.ts';
import { pageWords } from './words/page.ts';
import { resultWords } from './words/result.ts';
import { runWords } from './words/run.ts';
import { safetyWords } from './words/safety.ts';
import { trustWords } from './words/trust.ts';

export const words = {
  page: pageWords,
  result: resultWords,
  trust: trustWords,
  safety: safetyWords,
  answers: answerWords,
  lineage: lineageWords,
  run: runWords,
};
