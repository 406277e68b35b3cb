/** Line ends and what nobody sees, visible. */
export const visible = (text: string): string =>
  text
    .replaceAll('\n', '⏎\n')
    .replaceAll('\t', '→\t')
    .replace(
      /(?![\n\t])[\p{Cc}\p{Bidi_Control}\u200b-\u200d\ufeff]/gu,
      (c) => `⟨${c.codePointAt(0)!.toString(16).toUpperCase().padStart(4, '0')}⟩`,
    );
