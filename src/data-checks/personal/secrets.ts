/**
 * Keys, tokens and passwords in texts: by the rules that secretlint publishes, and by forms that issuers publish and its recommended
 * rules leave out (as gitleaks has them). Texts are looked at by the batch, since a call of secretlint costs more than a text.
 */
import { lintSource } from '@secretlint/core';
import { creator } from '@secretlint/secretlint-rule-preset-recommend';
import { type Found, withoutOverlaps } from './found.ts';
import { keysIn } from './key-forms.ts';

const id = '@secretlint/secretlint-rule-preset-recommend';
const config = { rules: [{ id, rule: creator }] };

/** `@secretlint/secretlint-rule-aws`, AWSSecretAccessKey: "AWS Secret Access Key". */
const ruleName = (messageId: string): string =>
  messageId
    .replace(/_/g, ' ')
    .toLowerCase()
    .replace(/^./, (first) => first.toUpperCase());

/** Between texts of a batch: no rule looks over so many line ends and signs. */
const divider = '\n\n\u2028\n\n';

/** The secrets of each text, in its order. */
export async function secretsIn(texts: readonly string[]): Promise<Found[][]> {
  const found = texts.map(keysIn);
  const content = texts.join(divider);
  const source = { content, filePath: 'data.txt', ext: '.txt', contentType: 'text' as const };
  const { messages } = await lintSource({ source, options: { config, noPhysicFilePath: true } });
  const starts: number[] = [];
  let at = 0;
  for (const text of texts) {
    starts.push(at);
    at += text.length + divider.length;
  }
  for (const {
    messageId,
    range: [start, end],
  } of messages) {
    const place = starts.findLastIndex((each) => each <= start);
    const [text, offset] = [texts[place]!, starts[place]!];
    if (end - offset <= text.length)
      found[place]!.push({ rule: ruleName(messageId), start: start - offset, end: end - offset });
  }
  return found.map(withoutOverlaps);
}
