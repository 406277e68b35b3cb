/** What API keys can be for. Pure. */

/** Each with all that those before it have. */
export const keyScopes = ['chat', 'tune', 'admin'] as const;
/** `chat` asks models, `tune` also has files and fine-tuning jobs, `admin` everything. */
export type KeyScope = (typeof keyScopes)[number];
