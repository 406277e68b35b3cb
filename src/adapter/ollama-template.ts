/**
 * A model's chat template in the language of Ollama's Modelfile (Go templates), derived by rendering, not by reading the jinja:
 * sentinel conversations show what stands around each turn, and the result must then render further conversations exactly as the
 * original does. Promises: a template that cannot be said this way is refused, never approximated. Pure.
 * https://docs.ollama.com/modelfile#template
 */
import { NomoatError } from '../errors.ts';
import type { Message } from '../text/example.ts';

/** Renders messages with the generation prompt, as training and chat do. May throw. */
export type RenderMessages = (messages: readonly Message[]) => string;

/** What stands around the contents of turns. Concatenations of these strings and the contents are whole prompts. */
export interface TurnFrame {
  /** Before everything where there is no system prompt; a default system prompt is part of it. */
  readonly withoutSystem: string;
  /** Around the system prompt; null where the template has no system role. */
  readonly system: { readonly before: string; readonly after: string } | null;
  readonly userBefore: string;
  /** Between a user's text and the answer to it. */
  readonly answerBefore: string;
  readonly answerAfter: string;
  /** After the last user's text, to ask for an answer; some templates put a space more before past answers. */
  readonly request: string;
}

/** Improbable in any template, free of letters that one might trim or change. */
const sentinels = { system: 'Ssystem01', user: 'Uuser01', answer: 'Aanswer01', next: 'Unext02' } as const;

const user = (content: string): Message => ({ role: 'user', content });
const assistant = (content: string): Message => ({ role: 'assistant', content });
const system = (content: string): Message => ({ role: 'system', content });

/** Splits `text` around the parts, which must occur once each and in order; null otherwise. */
function around(text: string, parts: readonly string[]): string[] | null {
  const pieces: string[] = [];
  let rest = text;
  for (const part of parts) {
    const at = rest.indexOf(part);
    if (at < 0 || rest.indexOf(part, at + part.length) >= 0) return null;
    pieces.push(rest.slice(0, at));
    rest = rest.slice(at + part.length);
  }
  return [...pieces, rest];
}

function commonSuffix(texts: readonly string[]): string {
  const [first = '', ...others] = texts;
  let length = 0;
  while (length < first.length && others.every((text) => text.endsWith(first.slice(first.length - length - 1))))
    length++;
  return first.slice(first.length - length);
}

function tryRender(render: RenderMessages, messages: readonly Message[]): string | null {
  try {
    return render(messages);
  } catch {
    return null;
  }
}

/** The prompt that a frame gives for a system prompt (or null), then user and assistant in alternation. */
function renderFrame(frame: TurnFrame, messages: readonly Message[]): string {
  let text = messages[0]?.role === 'system' ? '' : frame.withoutSystem;
  for (const [index, { role, content }] of messages.entries()) {
    const last = index === messages.length - 1;
    if (role === 'system') text += (frame.system?.before ?? '') + content + (frame.system?.after ?? '');
    else if (role === 'user') text += frame.userBefore + content + (last ? frame.request : '');
    else text += frame.answerBefore + content + (last ? '' : frame.answerAfter);
  }
  return text;
}

/** Conversations that a frame must render as the original does. Contents have no outer spaces, which many templates trim. */
const probes: readonly (readonly Message[])[] = [
  [user('Hi')],
  [user('Two\nlines, "quotes", {{ braces }} and <tags>')],
  [user('One'), assistant('Two'), user('Three')],
  [user('1'), assistant('2'), user('3'), assistant('4'), user('5')],
];
const systemProbes = probes.map((messages) => [system('Be brief.\nAlways.'), ...messages]);

function derive(render: RenderMessages): TurnFrame | null {
  const { system: s, user: u, answer: a, next: n } = sentinels;
  const plainText = tryRender(render, [user(u), assistant(a), user(n)]);
  const plain = plainText === null ? null : around(plainText, [u, a, n]);
  if (!plain) return null;
  const [head, answerBefore, boundary, request] = plain as [string, string, string, string];
  const withText = tryRender(render, [system(s), user(u), assistant(a), user(n)]);
  const withSystem = withText === null ? null : around(withText, [s, u, a, n]);
  // A template may refuse or leave out system prompts; one that puts them elsewhere is no frame.
  if (withText !== null && !withSystem && withText !== plainText) return null;
  const userBefore = commonSuffix(withSystem ? [head, withSystem[1]!, boundary] : [head, boundary]);
  const cut = (text: string): string => text.slice(0, text.length - userBefore.length);
  return {
    withoutSystem: cut(head),
    system: withSystem ? { before: withSystem[0]!, after: cut(withSystem[1]!) } : null,
    userBefore,
    answerBefore,
    answerAfter: cut(boundary),
    request,
  };
}

/**
 * The frame of the template that `render` renders. `part` names the model in the error that is thrown where the template does
 * more than put fixed texts around turns.
 */
export function turnFrame(part: string, render: RenderMessages): TurnFrame {
  const frame = derive(render);
  const wanted = [...probes, ...(frame?.system ? systemProbes : [])];
  const wrong = frame ? wanted.find((messages) => tryRender(render, messages) !== renderFrame(frame, messages)) : [];
  if (!frame || wrong) {
    throw new NomoatError({
      code: 'unusable-export',
      part,
      fault:
        'has a chat template that nomoat cannot translate for Ollama (it does more than put fixed texts around turns)',
      remedy: "Export with `to: 'gguf'` or `to: 'merged-gguf'` and write the Modelfile by hand.",
      fields: { probe: wrong ?? [] },
    });
  }
  return frame;
}

/** Texts that Go or the Modelfile would read as their own. */
const unsafeLiteral = /\{\{|\}\}|"""/;

/** The frame as a Go template for TEMPLATE """...""". `part` names the model in errors. */
export function goTemplate(part: string, frame: TurnFrame): string {
  const userTurn = `${frame.userBefore}{{ .Content }}{{ if $last }}${frame.request}{{ end }}`;
  const answerTurn = `${frame.answerBefore}{{ .Content }}{{ if not $last }}${frame.answerAfter}{{ end }}`;
  const head = frame.system
    ? `{{ if .System }}${frame.system.before}{{ .System }}${frame.system.after}{{ else }}${frame.withoutSystem}{{ end }}`
    : frame.withoutSystem;
  const literals = [frame.withoutSystem, frame.userBefore, frame.answerBefore, frame.answerAfter, frame.request];
  if (frame.system) literals.push(frame.system.before, frame.system.after);
  if (literals.some((text) => unsafeLiteral.test(text))) {
    throw new NomoatError({
      code: 'unusable-export',
      part,
      fault: 'has a chat template with {{, }} or """ in its texts, which a Modelfile cannot hold',
      remedy: "Export with `to: 'gguf'` or `to: 'merged-gguf'` and write the Modelfile by hand.",
    });
  }
  return (
    `${head}{{ range $i, $_ := .Messages }}{{ $last := eq (len (slice $.Messages $i)) 1 }}` +
    `{{ if eq .Role "user" }}${userTurn}{{ else if eq .Role "assistant" }}${answerTurn}{{ end }}{{ end }}`
  );
}
