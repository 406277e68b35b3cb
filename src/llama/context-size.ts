/** How long contexts are where nobody says. Knows no engine. */

/** Chats rarely need more, and a longer context costs memory from the first token on. */
export const defaultContextSize = 4096;
