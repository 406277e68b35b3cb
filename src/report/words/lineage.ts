/** Words of where an adapter comes from. */
import type { Text } from '../say.ts';

export const lineageWords = {
  title: { en: 'Where it comes from', zh: '来源' },
  picture: { en: 'The adapter at the top, below it what it was made of', zh: '最上方为本适配器，其下为其来源' },
  note: {
    en: 'What was made stands above what it was made of; digests are SHA-256. `nomoat lineage RUN --verify` looks for all of it.',
    zh: '上方由下方制成；摘要为 SHA-256。`nomoat lineage RUN --verify` 逐一核对。',
  },
  hidden: (p: { readonly n: string }): Text => ({
    en: `${p.n} further ancestors are not drawn: \`nomoat lineage\` lists them.`,
    zh: `另有 ${p.n} 个祖先未画出：\`nomoat lineage\` 可列出。`,
  }),
  base: { en: 'base', zh: '基座' },
  data: { en: 'data', zh: '数据' },
  tune: { en: 'trained', zh: '训练' },
  merge: { en: 'merged', zh: '合并' },
  extract: { en: 'extracted', zh: '提取' },
  convert: { en: 'converted', zh: '转换' },
  soften: { en: 'softened', zh: '软化' },
  unknown: { en: 'unknown', zh: '来历不明' },
} as const;
