/** Words of what speaks for and against trust. */
import type { Rewording } from '../../evaluate/rewordings.ts';
import type { Text } from '../say.ts';

type Figures = Readonly<Record<string, number>>;

const hundredth = (share: number | undefined): string => (100 * (share ?? 0)).toFixed(1);
const percent = (share: number | undefined): string => (100 * (share ?? 0)).toFixed(0);

/** What doubts say in Chinese, by their code; in English they say it themselves. */
export const doubtTexts: Readonly<Record<string, (p: Figures) => string>> = {
  'trained-on': (p) => `${p['examples']} 个测试样本中有 ${p['seen']} 个参与过训练：得分对新样本的说明力相应降低。`,
  'nearly-trained-on': (p) =>
    `${p['examples']} 个测试样本中有 ${p['near']} 个与训练样本几乎相同，只差一两个词：它们只能说明记忆。`,
  'many-looks': (p) => `这份测试数据已被查看 ${p['looks']} 次：用它来挑选，就不能再用它来衡量。请用新数据做最终判断。`,
  'one-answer': (p) => `${p['examples']} 个样本的应有答案全都相同：总是这样回答就全对，任何得分都无法区分。`,
  'few-examples': (p) => `${p['units']} 个（组）样本太少，得分不可靠：至少需要 20 个，最好几百个。`,
  'never-ends': (p) =>
    `${p['answers']} 个回答没有一个自行结束：得分取决于在哪里被截断。请增大 \`maxTokens\`，或训练会结束的回答。`,
  'empty-answers': (p) => `${p['examples']} 个问题的回答中有 ${p['count']} 个为空。`,
  'unended-answers': (p) => `${p['examples']} 个问题的回答中有 ${p['count']} 个没有自行结束。`,
  'repeating-answers': (p) => `${p['examples']} 个问题的回答中有 ${p['count']} 个自我重复。`,
  'echoing-answers': (p) => `${p['examples']} 个问题的回答中有 ${p['count']} 个在重复问题。`,
  'other-language-answers': (p) => `${p['examples']} 个问题的回答中有 ${p['count']} 个的文字或语言与应有答案不同。`,
  'sensitive-to-wording': (p) =>
    `换种问法，同样的 ${p['examples']} 个问题得 ${hundredth(p['worst'])}，而不是 ${hundredth(p['score'])}：所学的有一部分只是问题的写法。`,
  forgotten: (p) =>
    `它有所遗忘：一般文本上的损失从每词元 ${p['lossBefore']?.toFixed(2)} 奈特变为 ${p['lossAfter']?.toFixed(2)}，一般问题答对的从 ${p['rightBefore']} 个变为 ${p['rightAfter']} 个。`,
  memorised: (p) =>
    `训练数据可与新数据区分开：100 次中有 ${percent(p['separation'])} 次，训练使学过的答案比保留的答案提升更多（随机为 50 次）；它逐字给出 ${percent(p['learnt'])}% 的学过的答案，以及 ${percent(p['heldOut'])}% 的保留答案。`,
  'memorised-prompts': (p) =>
    `训练数据可与新数据区分开：100 次中有 ${percent(p['separation'])} 次，训练使学过的提示比保留的提示提升更多（随机为 50 次）；它逐字补全 ${percent(p['learnt'])}% 的学过的提示，以及 ${percent(p['heldOut'])}% 的保留提示。`,
  'canaries-known': (p) => `${p['canaries']} 条金丝雀文本中有 ${p['known']} 条属于同类文本中最可能的：谁来问都能得到。`,
  'skipped-examples': (p) => `跳过了 ${p['skipped']} 个没有答案的样本。`,
  'few-templates': (p) =>
    `${p['examples']} 个提示除数字和引文外只有 ${p['templates']} 种模板：若模型按模板出错，区间就过窄。\`cluster: 'template'\` 把每种模板按一个计。`,
  clusters: (p) => `${p['examples']} 个样本按 ${p['clusters']} 个计：相关的样本并不独立。`,
};

/** How questions were put otherwise, in Chinese. */
export const rewordingTexts: Readonly<Record<Rewording, string>> = {
  'in lower case': '全部小写',
  'without its last punctuation': '去掉句末标点',
  'with a polite beginning': '开头加上客套话',
  'in quotation marks': '加上引号',
  'with white space around it': '前后加空白',
};

export const trustWords = {
  byHeart: { en: 'What it knows by heart', zh: '它背下了什么' },
  byHeartNote: (p: { readonly learnt: string; readonly heldOut: string }): Text => ({
    en: `Of ${p.learnt} examples that were trained on and ${p.heldOut} held-out ones. Told apart: how often training gained more on a learnt one than on a held-out one; 50% by chance.`,
    zh: `${p.learnt} 个训练样本与 ${p.heldOut} 个保留样本。可区分：训练使学过的样本比保留样本提升更多的比例；随机为 50%。`,
  }),
  what: { en: 'Given word for word', zh: '逐字给出' },
  answers: { en: 'Answers, behind their prompts', zh: '答案（给出提示后）' },
  prompts: { en: 'Second halves of prompts, behind the first', zh: '提示的后半（给出前半后）' },
  learnt: { en: 'Trained on', zh: '训练过' },
  heldOut: { en: 'Held out', zh: '保留' },
  apart: { en: 'Told apart', zh: '可区分' },
  chance: { en: '± by chance', zh: '± 随机误差' },
  canaries: { en: 'Canaries', zh: '金丝雀文本' },
  canariesNote: {
    en: 'Exposure: log2 of how many texts of the same form there are for each that is as likely; from 4 bits on, whoever asks can get it.',
    zh: '暴露度：同类文本数与不低于其可能性的文本数之比的 log2；达到 4 比特，谁来问都能得到。',
  },
  canary: { en: 'Text', zh: '文本' },
  exposure: { en: 'Exposure, bits', zh: '暴露度（比特）' },
  among: { en: 'Among', zh: '比较的文本数' },
} as const;
