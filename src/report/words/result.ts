/** Words of "Did it work?". */
import type { Text } from '../say.ts';

export const resultWords = {
  scores: { en: 'Scores', zh: '得分' },
  scoresNote: (p: { readonly metric: string; readonly summary: Text; readonly n: string }): Text => ({
    en: `Metric: ${p.metric} (${p.summary.en}). All answered the same ${p.n} examples; bars are 95% intervals.`,
    zh: `指标：${p.metric}（${p.summary.zh}）。所有模型回答同样的 ${p.n} 个样本；横条为 95% 区间。`,
  }),
  suggested: (p: { readonly why: string }): Text => ({ en: `Chosen because: ${p.why}`, zh: `选用原因：${p.why}` }),
  who: { en: 'Who', zh: '对象' },
  score: { en: 'Score', zh: '得分' },
  interval: { en: '95% interval', zh: '95% 区间' },
  thisOne: { en: 'this one', zh: '本模型' },
  baseline: { en: 'baseline', zh: '基线' },
  majority: { en: 'the most frequent answer', zh: '最常见的答案' },
  fewShot: { en: 'the base with examples in the prompt', zh: '提示中带示例的基座' },
  neighbour: { en: 'the answer of the most similar training example', zh: '最相近的训练样本的答案' },
  differences: { en: 'Differences', zh: '差别' },
  differencesNote: {
    en: 'Paired, on the same examples. p-values are corrected for all comparisons on this page (Holm). In hundredths.',
    zh: '同一批样本上的配对比较。p 值已按本页全部比较校正（Holm）。单位为百分点。',
  },
  comparedWith: { en: 'Compared with', zh: '比较对象' },
  by: { en: 'By', zh: '指标' },
  difference: { en: 'Difference', zh: '差值' },
  p: { en: 'p, corrected', zh: '校正后 p 值' },
  verdict: { en: 'Verdict', zh: '结论' },
  smallest: { en: 'Smallest that would show', zh: '可显示的最小差值' },
  needed: { en: 'Examples needed', zh: '所需样本数' },
  better: { en: 'better', zh: '更好' },
  worse: { en: 'worse', zh: '更差' },
  noDifference: { en: 'no difference shown', zh: '未显示差别' },
  tooFew: { en: 'too few examples', zh: '样本太少' },
  powerNote: {
    en: 'The smallest difference that this many examples show four times in five, and how many the one seen would need.',
    zh: '以现有样本数，五次中能显示出四次的最小差值；以及要显示当前差值所需的样本数。',
  },
  doubts: { en: 'What speaks against it', zh: '疑点' },
  noDoubts: { en: 'Nothing was found that speaks against these scores.', zh: '没有发现对这些得分不利的情况。' },
  severe: { en: 'Serious', zh: '严重' },
  warning: { en: 'Warning', zh: '警告' },
  note: { en: 'Note', zh: '提示' },
  trainedOn: (p: Figures): Text => ({
    en: `${p.seen} of the ${p.examples} test examples were trained on: the score says that much less of new ones.`,
    zh: `${p.examples} 个测试样本中有 ${p.seen} 个参与过训练：得分对新样本的说明力相应降低。`,
  }),
  nearlyTrainedOn: (p: Figures): Text => ({
    en: `${p.near} of the ${p.examples} test examples are nearly the same as ones that were trained on: what they show is remembering.`,
    zh: `${p.examples} 个测试样本中有 ${p.near} 个与训练样本几乎相同：它们只能说明记忆。`,
  }),
  manyLooks: (p: Figures): Text => ({
    en: `This test data has been looked at ${p.looks} times: what is chosen by it is no longer measured by it. Take new data for the last word.`,
    zh: `这份测试数据已被查看 ${p.looks} 次：用它来挑选，就不能再用它来衡量。请用新数据做最终判断。`,
  }),
  emptyAnswers: (p: Figures): Text => ({
    en: `${p.count} of ${p.examples} answers are empty.`,
    zh: `${p.examples} 个回答中有 ${p.count} 个为空。`,
  }),
  unendedAnswers: (p: Figures): Text => ({
    en: `${p.count} of ${p.examples} answers did not end by themselves.`,
    zh: `${p.examples} 个回答中有 ${p.count} 个没有自行结束。`,
  }),
  repeatingAnswers: (p: Figures): Text => ({
    en: `${p.count} of ${p.examples} answers repeat themselves.`,
    zh: `${p.examples} 个回答中有 ${p.count} 个自我重复。`,
  }),
  skippedExamples: (p: Figures): Text => ({
    en: `${p.skipped} examples without an answer were left out.`,
    zh: `跳过了 ${p.skipped} 个没有答案的样本。`,
  }),
  noEvaluation: {
    en: 'Nobody evaluated this run yet. The losses below are all there is; this asks it and its base the same questions:',
    zh: '尚未评测。以下只有损失曲线；用这条命令让它和基座回答同样的问题：',
  },
  labels: { en: 'Label by label', zh: '逐标签' },
  labelsNote: (p: { readonly macro: string }): Text => ({ en: `Macro F1 ${p.macro}.`, zh: `宏平均 F1 ${p.macro}。` }),
  label: { en: 'Label', zh: '标签' },
  precision: { en: 'Precision', zh: '精确率' },
  recall: { en: 'Recall', zh: '召回率' },
  f1: { en: 'F1', zh: 'F1' },
  support: { en: 'Examples', zh: '样本' },
  confusion: { en: 'What was taken for what', zh: '混淆矩阵' },
  confusionNote: {
    en: 'Rows: what was expected. Columns: what was answered.',
    zh: '行：应有的标签。列：给出的标签。',
  },
  losses: { en: 'What training did', zh: '训练过程' },
  loss: { en: 'Loss', zh: '损失' },
  lossUnit: { en: 'nats per learnt token', zh: '奈特/词元' },
  training: { en: 'training', zh: '训练' },
  validation: { en: 'held out', zh: '验证' },
  step: { en: 'step', zh: '步' },
  rate: { en: 'Learning rate', zh: '学习率' },
  gradient: { en: 'Gradient norm', zh: '梯度范数' },
  before: { en: 'Before', zh: '训练前' },
  after: { en: 'After', zh: '训练后' },
  heldOutLoss: { en: 'Held-out loss', zh: '验证损失' },
  bitsPerByte: { en: 'Bits per byte', zh: '比特/字节' },
  steps: { en: 'Steps', zh: '步数' },
  bestStep: (p: { readonly step: string }): Text => ({ en: `the result is that of step ${p.step}`, zh: `结果取自第 ${p.step} 步` }), // biome-ignore format: one line
  proof: { en: 'Does it run elsewhere?', zh: '换个引擎也一样吗？' },
  proofNote: {
    en: "llama.cpp computed the result's log-probabilities too: how far they are from the trainer's, in nats per token.",
    zh: '用 llama.cpp 再次计算结果的对数概率：与训练器相差多少（奈特/词元）。',
  },
  proofOn: { en: 'On', zh: '基座文件' },
  mean: { en: 'Mean', zh: '平均' },
  worst: { en: 'Worst', zh: '最大' },
  tokens: { en: 'Tokens', zh: '词元' },
  passed: { en: 'passed', zh: '通过' },
  notPassed: { en: 'FAILED', zh: '未通过' },
  shown: { en: 'shown only', zh: '仅供参考' },
} as const;

/** What the metrics are, in Chinese: in English they say so themselves. */
export const metricSummaries: Readonly<Record<string, string>> = {
  exact: '与应有答案完全相同，首尾空白除外',
  normalised: '忽略大小写、标点和冠词后相同',
  contains: '回答中包含应有答案',
  json: '应有字段中答对的比例',
  'token-f1': '与应有答案共有词的 F1',
  'rouge-l': '最长公共子序列的 F1',
  chrf: '字符 n 元组的 F 值',
  bleu: '词 n 元组的精确率',
};

type Figures = Readonly<Record<string, number>>;
