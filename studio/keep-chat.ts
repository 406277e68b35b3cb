/** Sends a chat to the server whenever it changed. Promises: one version after the other; while nobody answers it is tried again. */
import { api, asFault, type Fault, noServer } from './api.ts';
import type { KeptChat } from './chats.ts';

const againMilliseconds = 3000;

export class ChatKeeper {
  private readonly id: string;
  private readonly tell: (fault: Fault | null) => void;
  private saved: string | null;
  private next: KeptChat | null = null;
  private busy = false;

  /** `saved`: of the version that is known; `tell` hears what goes wrong, and null when it is right again. */
  constructor(id: string, saved: string | null, tell: (fault: Fault | null) => void) {
    this.id = id;
    this.saved = saved;
    this.tell = tell;
  }

  keep(chat: KeptChat): void {
    this.next = chat;
    void this.work();
  }

  private async work(): Promise<void> {
    if (this.busy) return;
    this.busy = true;
    while (this.next) {
      const chat = this.next;
      this.next = null;
      try {
        ({ saved: this.saved } = await api.keepChat(this.id, chat, this.saved));
        this.tell(null);
      } catch (error) {
        const fault = asFault(error);
        this.tell(fault);
        if (fault.code !== noServer) break;
        this.next ??= chat;
        await new Promise((resolve) => setTimeout(resolve, againMilliseconds));
      }
    }
    this.busy = false;
  }
}
