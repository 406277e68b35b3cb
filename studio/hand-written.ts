/** A data set as it is written by hand: a table of questions and answers, or conversations. Pure. */

export interface TableRow {
  readonly prompt: string;
  readonly completion: string;
}
export const writtenRoles = ['system', 'user', 'assistant'] as const;
export interface WrittenMessage {
  readonly role: (typeof writtenRoles)[number];
  readonly content: string;
}
export type WrittenChat = readonly WrittenMessage[];

export interface Draft {
  readonly name: string;
  readonly table: readonly TableRow[];
  readonly chats: readonly WrittenChat[];
}

export const emptyRow: TableRow = { prompt: '', completion: '' };
export const emptyChat: WrittenChat = [
  { role: 'user', content: '' },
  { role: 'assistant', content: '' },
];
export const emptyDraft: Draft = { name: '', table: [emptyRow], chats: [emptyChat] };

/** More than that is a file, and is dropped as one. */
export const mostWritten = 1000;

const isEmptyRow = ({ completion, prompt }: TableRow): boolean => prompt.trim() === '' && completion.trim() === '';
const isEmptyChat = (chat: WrittenChat): boolean => chat.every(({ content }) => content.trim() === '');

/** Rows that have both, with one more to write in at the end. */
export const withRoom = (table: readonly TableRow[]): readonly TableRow[] =>
  table.length > 0 && isEmptyRow(table.at(-1)!) ? table : [...table, emptyRow];

/** What is written so far: whole examples, and those that lack a half, by their numbers from 1. */
export interface Written {
  readonly lines: readonly string[];
  readonly unfinished: readonly number[];
}

const written = <T>(
  all: readonly T[],
  isEmpty: (each: T) => boolean,
  isWhole: (each: T) => boolean,
  line: (each: T) => object,
): Written => {
  const begun = all.map((each, i) => ({ each, number: i + 1 })).filter(({ each }) => !isEmpty(each));
  return {
    lines: begun.filter(({ each }) => isWhole(each)).map(({ each }) => JSON.stringify(line(each))),
    unfinished: begun.filter(({ each }) => !isWhole(each)).map(({ number }) => number),
  };
};

export const writtenTable = (table: readonly TableRow[]): Written =>
  written(
    table,
    isEmptyRow,
    ({ completion, prompt }) => prompt.trim() !== '' && completion.trim() !== '',
    (row) => row,
  );

/** A conversation is whole when nothing in it is empty and a model says something behind a question. */
export const writtenChats = (chats: readonly WrittenChat[]): Written =>
  written(
    chats,
    isEmptyChat,
    (chat) => {
      const said = chat.filter(({ content }) => content.trim() !== '');
      const asked = said.findIndex(({ role }) => role === 'user');
      return said.length === chat.length && asked >= 0 && said.slice(asked).some(({ role }) => role === 'assistant');
    },
    (messages) => ({ messages }),
  );

/** Cells as spreadsheets copy them: tabs between, quotes around what has lines of its own. null: it is one text. */
export function pastedRows(text: string): TableRow[] | null {
  if (!text.includes('\t')) return null;
  const rows: string[][] = [[]];
  const cell = /(?:"((?:[^"]|"")*)"(?=[\t\n\r]|$)|([^\t\n\r]*))(\t|\r?\n|$)/y;
  while (cell.lastIndex < text.length) {
    const [, quoted, plain = '', end = ''] = cell.exec(text) ?? [];
    rows.at(-1)!.push(quoted === undefined ? plain : quoted.replaceAll('""', '"'));
    if (end === '') break;
    if (end !== '\t') rows.push([]);
  }
  const found = rows.map(([prompt = '', completion = '']) => ({ prompt, completion }));
  return found.filter((row) => !isEmptyRow(row)).slice(0, mostWritten);
}

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
const isText = (value: unknown): value is string => typeof value === 'string';

const isMessage = (value: unknown): value is WrittenMessage =>
  isObject(value) &&
  Object.keys(value).length === 2 &&
  isText(value.content) &&
  (writtenRoles as readonly unknown[]).includes(value.role);

/** What an earlier data set holds, to be written on; null where it holds more than can be written here. */
export function draftOf(text: string, name: string): Draft | null {
  const table: TableRow[] = [];
  const chats: WrittenChat[] = [];
  const lines = text.split('\n').filter((line) => line.trim() !== '');
  if (lines.length === 0 || lines.length > mostWritten) return null;
  for (const line of lines) {
    let row: unknown;
    try {
      row = JSON.parse(line);
    } catch {
      return null;
    }
    if (!isObject(row)) return null;
    const { completion, messages, prompt, ...others } = row;
    if (Object.keys(others).length > 0) return null;
    if (isText(prompt) && isText(completion) && messages === undefined) table.push({ prompt, completion });
    else if (Array.isArray(messages) && messages.every(isMessage)) chats.push(messages);
    else return null;
  }
  // A file of both would be two data sets here.
  return table.length > 0 && chats.length > 0 ? null : { name, table, chats: chats.length > 0 ? chats : [emptyChat] };
}
