/** Control tokens of chat templates that stand in texts: those of the model where one is given, else the usual spellings. Pure. */
import { controlTokensIn } from '../tokens/encode-text.ts';
import type { Tokenizer } from '../tokens/tokenizer.ts';
import type { DataRow } from './data-row.ts';
import type { Excerpts } from './excerpts.ts';
import type { DataFinding } from './finding.ts';

/** ChatML, Llama, Mistral, Gemma, Phi, DeepSeek, GPT-2. */
const usual =
  /<\|[\w-]{2,30}\|>|<｜[\w▁-]{2,30}｜>|\[\/?(?:INST|TOOL_CALLS|AVAILABLE_TOOLS|TOOL_RESULTS|SYSTEM_PROMPT)\]|<\/?s>(?=\s|$|\[)|<<\/?SYS>>|<(?:start|end)_of_turn>|<(?:bos|eos|pad|unk)>/g;

/** Spelled control tokens of a row, one finding for each text that has some. */
export function specialTokensIn(
  { source, texts }: DataRow,
  excerpts: Excerpts,
  tokenizer: Tokenizer | null,
): DataFinding[] {
  return texts.flatMap(({ place, text }): DataFinding[] => {
    const [first] = tokenizer
      ? controlTokensIn(text, tokenizer)
      : [...text.matchAll(usual)].map((match) => ({
          text: match[0],
          start: match.index,
          end: match.index + match[0].length,
        }));
    if (!first) return [];
    return [
      {
        kind: 'special-tokens',
        severity: 'warning',
        rule: first.text,
        rows: [source],
        place,
        excerpt: excerpts.of(text, first.start, first.end),
      },
    ];
  });
}
