import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { ConversationSaver } from './save-conversation.ts';
import { ChatSession, chatHelp, commandNames, parseChatLine } from './session.ts';

describe('parseChatLine', () => {
  it.each([
    ['hello', { kind: 'message', text: 'hello' }],
    ['  what is 1/2?', { kind: 'message', text: '  what is 1/2?' }],
    ['//etc/passwd is a file', { kind: 'message', text: '/etc/passwd is a file' }],
    ['   ', { kind: 'empty' }],
    ['/reset', { kind: 'reset' }],
    ['/system', { kind: 'system', text: null }],
    ['/system none', { kind: 'system', text: '' }],
    ['/system  Be brief.\nAlways.', { kind: 'system', text: 'Be brief.\nAlways.' }],
    ['/save', { kind: 'save', path: null }],
    ['/save my chats.jsonl', { kind: 'save', path: 'my chats.jsonl' }],
    ['/good', { kind: 'mark', mark: { mark: 'good' } }],
    ['/bad', { kind: 'mark', mark: { mark: 'bad' } }],
    ['/better 4,\nof course', { kind: 'mark', mark: { mark: 'bad', better: '4,\nof course' } }],
    ['/better', { kind: 'mark', mark: { mark: 'bad', better: '' } }],
    ['/help', { kind: 'help' }],
    ['/exit', { kind: 'exit' }],
    ['/quit', { kind: 'exit' }],
    ['/rest', { kind: 'unknown', name: '/rest' }],
    ['/constructor', { kind: 'unknown', name: '/constructor' }],
  ])('reads %j', (line, command) => {
    expect(parseChatLine(line)).toEqual(command);
  });

  it('explains every command in the help', () => {
    for (const name of commandNames) expect(chatHelp).toContain(name);
  });
});

describe('ChatSession', () => {
  it('holds system prompt and turns, takes questions back, and resets to the system prompt', () => {
    const session = new ChatSession('Be brief.');
    session.ask('one');
    session.takeBack();
    session.takeBack();
    session.ask('two');
    session.answer('2', true);
    session.takeBack();
    expect(session.messages.map(({ role, content }) => `${role}:${content}`)).toEqual([
      'system:Be brief.',
      'user:two',
      'assistant:2',
    ]);
    session.setSystem('');
    expect(session.messages[0]).toEqual({ role: 'user', content: 'two' });
    session.setSystem('Be long.');
    session.reset();
    expect(session.messages).toEqual([{ role: 'system', content: 'Be long.' }]);
    expect(session.answered).toBe(false);
  });

  it('saves a training record in which a cut answer has weight 0', () => {
    const session = new ChatSession();
    session.ask('a');
    session.answer('b', true);
    session.ask('c');
    session.answer('d', false);
    const marked = JSON.parse(session.toRecord('nomoat mini')) as { AIGC: object; messages: unknown };
    expect(marked).toEqual({
      ...JSON.parse(session.toRecord()),
      AIGC: { Label: '1', ContentProducer: 'nomoat mini', ProduceID: expect.stringMatching(/^[0-9a-f]{64}$/) },
    });
    expect(JSON.parse(session.toRecord())).toEqual({
      messages: [
        { role: 'user', content: 'a' },
        { role: 'assistant', content: 'b' },
        { role: 'user', content: 'c' },
        { role: 'assistant', content: 'd', weight: 0 },
      ],
    });
  });
});

describe('marks', () => {
  it('stand beside the messages that they are of; the last one counts, and nothing learns a bad answer', () => {
    const session = new ChatSession();
    expect(session.mark({ mark: 'good' })).toBe(false);
    session.ask('a');
    expect(session.mark({ mark: 'good' })).toBe(false);
    session.answer('b', true);
    expect(session.mark({ mark: 'bad' })).toBe(true);
    session.mark({ mark: 'good' });
    session.ask('c');
    session.answer('d', true);
    session.mark({ mark: 'bad', better: 'e' });
    session.setSystem('Be brief.');
    expect(JSON.parse(session.toRecord())).toEqual({
      messages: [
        { role: 'system', content: 'Be brief.' },
        { role: 'user', content: 'a' },
        { role: 'assistant', content: 'b' },
        { role: 'user', content: 'c' },
        { role: 'assistant', content: 'd', weight: 0 },
      ],
      feedback: [
        { message: 2, mark: 'good' },
        { message: 4, mark: 'bad', better: 'e' },
      ],
    });
    expect(session.messages.at(-1), 'the model is asked with what it said').toEqual({
      role: 'assistant',
      content: 'd',
    });
    session.reset();
    expect(JSON.parse(session.toRecord())).toEqual({ messages: [{ role: 'system', content: 'Be brief.' }] });
  });
});

describe('ConversationSaver', () => {
  const folder = mkdtempSync(join(tmpdir(), 'nomoat-save-'));
  afterAll(() => rmSync(folder, { recursive: true }));

  it('adds to a file, replaces its own line when the conversation grew, and keeps everything else', () => {
    const path = join(folder, 'chats.jsonl');
    writeFileSync(path, '{"old":1}');
    const saver = new ConversationSaver();
    expect(saver.save(path, '{"a":1}')).toBe(2);
    expect(saver.save(path, '{"a":2}')).toBe(2);
    saver.begin();
    expect(saver.save(path, '{"b":1}')).toBe(3);
    expect(readFileSync(path, 'utf8')).toBe('{"old":1}\n{"a":2}\n{"b":1}\n');
  });

  it('refuses to touch a file that holds something else', () => {
    const path = join(folder, 'notes.txt');
    writeFileSync(path, 'my notes\n');
    expect(() => new ConversationSaver().save(path, '{}')).toThrow(/line 1 is no object/);
    expect(() => new ConversationSaver().save(folder, '{}')).toThrow(/is no file/);
    expect(readFileSync(path, 'utf8')).toBe('my notes\n');
  });

  it('refuses a file whose bytes it would change', () => {
    const path = join(folder, 'latin1.jsonl');
    const bytes = Buffer.from('{"a":"caf\xe9"}\n', 'latin1');
    writeFileSync(path, bytes);
    expect(() => new ConversationSaver().save(path, '{}')).toThrow(/is not valid UTF-8/);
    expect(readFileSync(path).equals(bytes)).toBe(true);
  });
});
