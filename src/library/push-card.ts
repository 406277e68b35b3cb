/** The card that goes along with an adapter: base and license written into it, and what the base's license asks. Pure. */
import { parseDocument } from 'yaml';
import { NomoatError } from '../errors.ts';

/** What a card states of where an adapter comes from and of how it may be used. */
export interface CardFacts {
  readonly baseModel: string | null;
  readonly license: string | null;
}

const frontMatter = /^---\r?\n([\s\S]*?)\r?\n---[ \t]*(?:\r?\n|$)/;
const heading = '## What its licenses ask';

function documentOf(readme: string): ReturnType<typeof parseDocument> {
  const document = parseDocument(frontMatter.exec(readme)?.[1] ?? '');
  const [error] = document.errors;
  if (!error) return document;
  throw new NomoatError({
    part: 'README.md',
    fault: `its front matter is no YAML (${error.message.split('\n')[0]})`,
    remedy: 'Mend the lines between its two lines of dashes.',
  });
}

/** What the card states. Throws NomoatError where its front matter cannot be read. */
export function cardFacts(readme: string): CardFacts {
  const {
    base_model: base,
    license,
    license_name: name,
  } = (documentOf(readme).toJS() as Record<string, unknown> | null) ?? {};
  const first: unknown = Array.isArray(base) ? base[0] : base;
  const text = (value: unknown): string | null => (typeof value === 'string' && value !== '' ? value : null);
  return { baseModel: text(first), license: license === 'other' ? (text(name) ?? 'other') : text(license) };
}

/** The card with base, license, and what is asked of whoever passes it on; everything else stays. */
export function writtenCard(readme: string, { baseModel, license }: CardFacts, asks: readonly string[]): string {
  const document = documentOf(readme);
  const stated = cardFacts(readme);
  if (baseModel !== null && stated.baseModel !== baseModel) document.set('base_model', baseModel);
  if (baseModel !== null && !document.has('base_model_relation')) document.set('base_model_relation', 'adapter');
  if (license !== null && stated.license !== license) document.set('license', license);
  const body = readme.replace(frontMatter, '');
  const section =
    asks.length === 0 || body.includes(heading)
      ? ''
      : `\n${heading}\n\n${asks.map((sentence) => `- ${sentence}`).join('\n')}\n`;
  return `---\n${document.toString()}---\n${body.trimEnd()}\n${section}`;
}
