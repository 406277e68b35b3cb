/** Conversations, message by message. */
import type { JSX } from 'preact';
import { emptyChat, type WrittenChat, type WrittenMessage, writtenRoles } from '../../hand-written.ts';
import { fill } from '../../parts.tsx';
import { count, w } from '../../words.ts';

const linesOf = (text: string): number => Math.min(12, Math.max(1, text.split('\n').length));

interface ChatProps {
  readonly chat: WrittenChat;
  readonly number: number;
  readonly change: (chat: WrittenChat) => void;
  readonly remove: () => void;
}

function Chat({ change, chat, number, remove }: ChatProps): JSX.Element {
  const words = w().make;
  const set = (i: number, part: Partial<WrittenMessage>): void =>
    change(chat.map((message, n) => (n === i ? { ...message, ...part } : message)));
  const names = { system: words.system, user: words.user, assistant: words.assistant };
  const next = chat.at(-1)?.role === 'user' ? 'assistant' : 'user';
  return (
    <fieldset class="written-chat">
      <legend>{fill(words.chatOf, { n: count(number) })}</legend>
      <ol class="messages">
        {chat.map(({ content, role }, i) => (
          <li key={i} class={role}>
            <select
              aria-label={fill(words.whoSays, { n: count(i + 1) })}
              value={role}
              onChange={({ currentTarget }) => set(i, { role: currentTarget.value as WrittenMessage['role'] })}
            >
              {writtenRoles.map((each) => (
                <option key={each} value={each} selected={each === role}>
                  {names[each]}
                </option>
              ))}
            </select>
            <textarea
              dir="auto"
              rows={linesOf(content)}
              value={content}
              aria-label={fill(words.messageOf, { n: count(i + 1), who: names[role] })}
              onInput={({ currentTarget }) => set(i, { content: currentTarget.value })}
            />
            <button
              type="button"
              class="quiet"
              disabled={chat.length === 1}
              aria-label={fill(words.removeMessage, { n: count(i + 1) })}
              onClick={() => change(chat.filter((_, n) => n !== i))}
            >
              ✕
            </button>
          </li>
        ))}
      </ol>
      <p class="small-actions">
        {chat[0]?.role === 'system' ? null : (
          <button type="button" class="quiet" onClick={() => change([{ role: 'system', content: '' }, ...chat])}>
            {words.addSystem}
          </button>
        )}
        <button type="button" class="quiet" onClick={() => change([...chat, { role: next, content: '' }])}>
          {next === 'user' ? words.addQuestion : words.addAnswer}
        </button>
        <button type="button" class="quiet" onClick={remove}>
          {words.removeChat}
        </button>
      </p>
    </fieldset>
  );
}

interface ChatsProps {
  readonly chats: readonly WrittenChat[];
  readonly change: (chats: readonly WrittenChat[]) => void;
}

export function Chats({ change, chats }: ChatsProps): JSX.Element {
  const words = w().make;
  const without = (i: number): readonly WrittenChat[] =>
    chats.length === 1 ? [emptyChat] : chats.filter((_, n) => n !== i);
  return (
    <>
      <p class="note">{words.chatsNote}</p>
      {chats.map((chat, i) => (
        <Chat
          key={i}
          chat={chat}
          number={i + 1}
          change={(next) => change(chats.map((each, n) => (n === i ? next : each)))}
          remove={() => change(without(i))}
        />
      ))}
      <p class="actions">
        <button type="button" class="button" onClick={() => change([...chats, emptyChat])}>
          {words.addChat}
        </button>
      </p>
    </>
  );
}
