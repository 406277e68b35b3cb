/** Forms of keys, tokens and passwords as issuers publish them, which need no library: looked for before a run, too. Pure. */
import type { Found } from './found.ts';

const ends = '(?![\\w-])';
// biome-ignore format: a table
const forms: readonly (readonly [rule: string, form: RegExp])[] = [
  ['private key', /-----BEGIN[ A-Z\d_-]{0,100}PRIVATE KEY(?: BLOCK)?-----[\s\S]{64,}?-----END[ A-Z\d_-]{0,100}PRIVATE KEY(?: BLOCK)?-----/g],
  ['AWS access key id', /(?<!\w)(?:A3T[A-Z\d]|AKIA|ASIA|ABIA|ACCA)[A-Z2-7]{16}(?!\w)/g],
  ['Google API key', new RegExp(`(?<!\\w)AIza[\\w-]{35}${ends}`, 'g')],
  ['OpenAI key', /(?<!\w)sk-(?:proj-|svcacct-|admin-)?[\w-]{20,}T3BlbkFJ[\w-]{20,}/g],
  ['Anthropic key', /(?<!\w)sk-ant-[a-z]+\d\d-[\w-]{80,}/g],
  ['key that begins with sk-', new RegExp(`(?<!\\w)sk-(?=[\\w-]*\\d)(?=[\\w-]*[A-Za-z])[\\w-]{32,}${ends}`, 'g')],
  ['Stripe key', /(?<!\w)(?:sk|rk)_(?:test|live|prod)_[A-Za-z\d]{10,99}(?!\w)/g],
  ['GitHub token', /(?<!\w)(?:gh[pousr]_[A-Za-z\d]{36,}|github_pat_\w{82})(?!\w)/g],
  ['GitLab token', /(?<!\w)gl(?:pat|dt|cbt|ptt|ft|imt|agent|soat|rt)-[\w-]{20,}/g],
  ['Slack token', /(?<!\w)xox[abeoprs]-[\dA-Za-z-]{20,}/g],
  ['Slack webhook', /https:\/\/hooks\.slack\.com\/(?:services|workflows|triggers)\/[\w+/]{43,}/g],
  ['npm token', /(?<!\w)npm_[A-Za-z\d]{36}(?!\w)/g],
  ['PyPI token', /(?<!\w)pypi-AgEIcHlwaS5vcmc[\w-]{50,}/g],
  ['Hugging Face token', /(?<!\w)(?:hf_[A-Za-z]{34}|api_org_[A-Za-z]{34})(?!\w)/g],
  ['SendGrid key', new RegExp(`(?<!\\w)SG\\.[\\w-]{16,32}\\.[\\w-]{16,64}${ends}`, 'g')],
  ['Twilio key', /(?<!\w)(?:SK|AC)[\da-f]{32}(?!\w)/g],
  ['Telegram bot token', new RegExp(`(?<!\\w)\\d{5,16}:A[\\w-]{34}${ends}`, 'g')],
  ['JSON web token', /(?<![\w.])ey[A-Za-z\d]{12,}\.ey[\w-]{12,}\.[\w-]{10,}=*/g],
  ['address with a password', /(?<![\w.])[a-z][a-z\d+.-]{1,20}:\/\/[^\s/:@'"<>]{1,64}:(?![/{$<*])[^\s/:@'"<>]{3,128}@[^\s/'"<>]{3,}/gi],
  // A value that holds letters and signs or digits: "password: correct" and "password is required" hold none.
  ['password', /(?<=\b(?:pass(?:word|wd|phrase)|pwd|secret|api[_-]?key|access[_-]?token|auth[_-]?token|client[_-]?secret)["'`]?\s{0,3}(?:=|:|=>|:=|\bis\b)\s{0,3}["'`]?)(?=[^\s"'`]*\d)(?=[^\s"'`]*[A-Za-z])[^\s"'`,;<>{}()[\]]{8,128}/gi],
];

/** All that the text holds; a place may be found by several forms. */
export const keysIn = (text: string): Found[] =>
  forms.flatMap(([rule, form]) =>
    [...text.matchAll(form)].map((match) => ({ rule, start: match.index, end: match.index + match[0].length })),
  );
