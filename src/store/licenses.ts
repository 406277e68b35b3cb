/**
 * What licenses of open models ask of those who share something made with the model, in sentences: a short form of their terms, no advice.
 * Names are the hub's (https://huggingface.co/docs/hub/repositories-licenses). Pure.
 */

/** What a license asks. */
export interface LicenseTerms {
  /** For people. */
  readonly title: string;
  /** What whoever shares a derivative has to do, in sentences. */
  readonly asks: readonly string[];
  /** Whether derivatives stay under the same terms. */
  readonly sameTerms: boolean;
  /** What a derivative's name has to begin with; null where nothing. */
  readonly namePrefix: string | null;
}

const llama = (version: string, builtWith: string, namePrefix: string | null): LicenseTerms => ({
  title: `Llama ${version} Community License`,
  asks: [
    'A copy of the license agreement goes along with what is shared.',
    `"${builtWith}" is shown prominently where it is offered, such as on its page.`,
    ...(namePrefix === null ? [] : [`Its name begins with "${namePrefix}".`]),
    `A text file "Notice" says: "Llama ${version} is licensed under the Llama ${version} Community License, Copyright (c) Meta Platforms, Inc. All Rights Reserved."`,
    "Use follows Meta's Acceptable Use Policy; above 700 million monthly users a license of Meta's own is needed.",
  ],
  sameTerms: true,
  namePrefix,
});

const permissive = (title: string, asks: readonly string[]): LicenseTerms => ({
  title,
  asks,
  sameTerms: false,
  namePrefix: null,
});
const binding = (title: string, asks: readonly string[]): LicenseTerms => ({
  title,
  asks,
  sameTerms: true,
  namePrefix: null,
});
const notice = 'The copyright notice and the text of the license go along with what is shared.';
const credit = 'Its authors are named, with a link to the license, and it is said that it was changed.';
const nonCommercial = 'It is not used commercially.';
const useRestrictions = 'The restrictions on use in the license are passed on, as terms that bind whoever gets it.';

const apache = permissive('Apache License 2.0', [
  'A copy of the license goes along with what is shared.',
  'It says that it was changed; notices of copyright and a NOTICE file of the base are kept.',
]);
const gemma = binding('Gemma Terms of Use', [
  'A copy of the Gemma Terms of Use goes along, and its use restrictions are passed on as terms that bind whoever gets it.',
  'A text file "Notice" says: "Gemma is provided under and subject to the Gemma Terms of Use found at ai.google.dev/gemma/terms".',
  'It says that it was changed.',
]);

const table: Readonly<Record<string, LicenseTerms>> = {
  'apache-2.0': apache,
  mit: permissive('MIT License', [notice]),
  'bsd-2-clause': permissive('BSD 2-Clause License', [notice]),
  'bsd-3-clause': permissive('BSD 3-Clause License', [notice, 'Its authors are not named as if they endorsed it.']),
  unlicense: permissive('The Unlicense', []),
  'cc0-1.0': permissive('CC0 1.0', []),
  'cc-by-4.0': permissive('CC BY 4.0', [credit]),
  'cc-by-sa-4.0': binding('CC BY-SA 4.0', [credit, 'It is shared under the same license.']),
  'cc-by-nc-4.0': binding('CC BY-NC 4.0', [credit, nonCommercial]),
  'cc-by-nc-sa-4.0': binding('CC BY-NC-SA 4.0', [credit, nonCommercial, 'It is shared under the same license.']),
  'gpl-3.0': binding('GNU GPL 3.0', ['It is shared under the same license, with its source.']),
  'agpl-3.0': binding('GNU AGPL 3.0', [
    'It is shared under the same license, with its source, to users over a network as well.',
  ]),
  llama2: { ...llama('2', 'Built with Llama 2', null), title: 'Llama 2 Community License' },
  llama3: llama('3', 'Built with Meta Llama 3', 'Llama 3'),
  'llama3.1': llama('3.1', 'Built with Llama', 'Llama'),
  'llama3.2': llama('3.2', 'Built with Llama', 'Llama'),
  'llama3.3': llama('3.3', 'Built with Llama', 'Llama'),
  llama4: llama('4', 'Built with Llama', 'Llama'),
  gemma,
  openrail: binding('OpenRAIL', [useRestrictions]),
  'openrail++': binding('OpenRAIL++', [useRestrictions]),
  'bigscience-openrail-m': binding('BigScience OpenRAIL-M', [useRestrictions]),
  'bigcode-openrail-m': binding('BigCode OpenRAIL-M', [useRestrictions]),
  'bigscience-bloom-rail-1.0': binding('BLOOM RAIL 1.0', [useRestrictions]),
  'qwen-research': binding('Qwen Research License', [
    nonCommercial,
    '"Built with Qwen" or "Improved using Qwen" is shown where it is offered.',
    'A copy of the license goes along with what is shared.',
  ]),
  qwen: binding('Qwen License', [
    'A copy of the license goes along with what is shared.',
    '"Built with Qwen" or "Improved using Qwen" is shown where it is offered.',
  ]),
};

/** The license in the hub's spelling. */
export const licenseId = (license: string): string => license.trim().toLowerCase();

/** What the license asks; null where it is not known here. */
export const licenseTerms = (license: string): LicenseTerms | null =>
  Object.hasOwn(table, licenseId(license)) ? table[licenseId(license)]! : null;

/** Licenses that the hub has a name for, and this table terms. */
export const knownLicenses: readonly string[] = Object.keys(table);

/**
 * Why what was made with a base under `base` cannot be shared under `own`, in a clause; null where nothing is known against it. The text
 * `other` stands for terms of one's own, which are read by people.
 */
export function licenseConflict(own: string, base: string): string | null {
  const terms = licenseTerms(base);
  const isSame = licenseId(own) === licenseId(base);
  if (!terms?.sameTerms || isSame || licenseId(own) === 'other') return null;
  return `${own} is another license than the base's: the ${terms.title} holds for what is made with it`;
}
