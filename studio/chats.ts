/** A chat as it is shown and kept, and what happens to it. Pure. */
import type { KeptAnswer, KeptChat } from '../src/server/studio/chat-form.ts';

export type { KeptAnswer, KeptChat } from '../src/server/studio/chat-form.ts';
export type Turn = KeptChat['turns'][number];
export type Sampling = KeptChat['sampling'];

export const usualSampling: Sampling = { temperature: 0.7, topP: null, maxTokens: 256, seed: null };
/** As many as a server keeps. */
export const mostModels = 4;
const mostTitle = 60;

export const newChat = (models: readonly string[], system = ''): KeptChat => ({
  title: '',
  models: [...models],
  system,
  sampling: usualSampling,
  blind: false,
  turns: [],
});

/** A new chat's id, which stands in its address before there is anything to keep. */
export const newId = (): string => crypto.randomUUID();

export const emptyAnswer = (model: string): KeptAnswer => ({
  model,
  text: '',
  thoughts: '',
  calls: [],
  cut: false,
  fault: null,
  mark: null,
  better: null,
});

/** Whether there is something that a model said. */
export const isSaid = (answer: KeptAnswer | null | undefined): answer is KeptAnswer =>
  !!answer && answer.fault === null && (answer.text.trim() !== '' || answer.calls.length > 0);

const withTurn = (chat: KeptChat, index: number, change: (turn: Turn) => Turn): KeptChat => ({
  ...chat,
  turns: chat.turns.map((turn, i) => (i === index ? change(turn) : turn)),
});

/** Which answer of which turn. */
export interface AnswerPlace {
  readonly turn: number;
  readonly column: number;
}

export const withAnswer = (
  chat: KeptChat,
  { column, turn: index }: AnswerPlace,
  change: (answer: KeptAnswer) => KeptAnswer,
): KeptChat =>
  withTurn(chat, index, (turn) => ({
    ...turn,
    answers: turn.answers.map((answer, i) => (i === column && answer ? change(answer) : answer)),
  }));

export const withVote = (chat: KeptChat, index: number, vote: Turn['vote']): KeptChat =>
  withTurn(chat, index, (turn) => ({ ...turn, vote }));

/** In any order, each as likely. */
function shuffled(length: number): number[] {
  const order = Array.from({ length }, (_, i) => i);
  for (let i = length - 1; i > 0; i--) {
    const j = Math.floor(Math.random() * (i + 1));
    [order[i], order[j]] = [order[j]!, order[i]!];
  }
  return order;
}

/** The chat as far as `at`, with a question that is about to be answered. */
export function withQuestion(chat: KeptChat, at: number, prompt: string): KeptChat {
  const { blind, models, turns } = chat;
  const answers = models.map(emptyAnswer);
  const order = blind && models.length > 1 ? shuffled(models.length) : null;
  const title = chat.title || prompt.trim().split('\n')[0]!.slice(0, mostTitle);
  return { ...chat, title, turns: [...turns.slice(0, at), { prompt, answers, order, vote: null }] };
}

/** Whether something would be lost if that turn was answered anew: later ones, or what was thought of it. */
export function isLastPlain({ turns }: KeptChat, at: number): boolean {
  const turn = turns[at];
  return at >= turns.length - 1 && !turn?.vote && !turn?.answers.some((answer) => answer?.mark);
}

interface AskedBody {
  readonly chat: KeptChat;
  readonly place: AnswerPlace;
}

/** What a model is asked with: its own answers stand before; what failed is not told. */
export function bodyOf({ chat, place: { column, turn } }: AskedBody): object {
  const { sampling, system, turns } = chat;
  const { maxTokens, seed, temperature, topP } = sampling;
  const before = turns.slice(0, turn).flatMap(({ answers, prompt }) => {
    const answer = answers[column];
    if (!isSaid(answer)) return [];
    return [
      { role: 'user', content: prompt },
      { role: 'assistant', content: answer.text },
    ];
  });
  return {
    model: chat.models[column],
    messages: [
      ...(system ? [{ role: 'system', content: system }] : []),
      ...before,
      { role: 'user', content: turns[turn]!.prompt },
    ],
    stream: true,
    temperature,
    ...(topP === null ? {} : { top_p: topP }),
    ...(seed === null ? {} : { seed }),
    ...(maxTokens === null ? {} : { max_tokens: maxTokens }),
  };
}
