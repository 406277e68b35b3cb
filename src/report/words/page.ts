/** Words of the page's frame and of its headline. */
import { dash } from '../figures.ts';
import type { Text } from '../say.ts';

export const pageWords = {
  titleTune: (p: { readonly model: string }): Text => ({ en: `Fine-tuning ${p.model}`, zh: `微调 ${p.model}` }),
  titlePretrain: (p: { readonly model: string }): Text => ({ en: `Pretraining ${p.model}`, zh: `预训练 ${p.model}` }),
  titleEvaluation: (p: { readonly model: string }): Text => ({ en: `Evaluation of ${p.model}`, zh: `评测 ${p.model}` }),
  kindTune: { en: 'Fine-tuning report', zh: '微调报告' },
  kindFull: { en: 'Full fine-tuning report', zh: '全参数微调报告' },
  kindPretrain: { en: 'Pretraining report', zh: '预训练报告' },
  kindEvaluation: { en: 'Evaluation report', zh: '评测报告' },
  skip: { en: 'Skip to the result', zh: '跳到结果' },
  sections: { en: 'Sections', zh: '章节' },
  language: { en: 'Language', zh: '语言' },
  theme: { en: 'Colours', zh: '配色' },
  themeAuto: { en: 'As the system', zh: '跟随系统' },
  themeLight: { en: 'Light', zh: '浅色' },
  themeDark: { en: 'Dark', zh: '深色' },
  copy: { en: 'Copy', zh: '复制' },
  copied: { en: 'Copied', zh: '已复制' },
  values: { en: 'Values as a table', zh: '以表格查看数值' },
  footer: {
    en: 'Made by nomoat on this machine. The page holds everything that it shows and asks no server for anything.',
    zh: '由 nomoat 在本机生成。页面自带全部内容，不向任何服务器发出请求。',
  },
  result: { en: 'Did it work?', zh: '有效果吗？' },
  answers: { en: 'Show me', zh: '看看回答' },
  cost: { en: 'What did it cost?', zh: '花费多少？' },
  forgotten: { en: 'What did it forget?', zh: '忘记了什么？' },
  inside: { en: 'What is inside?', zh: '里面是什么？' },
  made: { en: 'How was it made?', zh: '如何得到的？' },
  resultShort: { en: 'Result', zh: '结果' },
  answersShort: { en: 'Answers', zh: '回答' },
  costShort: { en: 'Cost', zh: '花费' },
  forgottenShort: { en: 'Forgotten', zh: '遗忘' },
  insideShort: { en: 'Inside', zh: '内部' },
  madeShort: { en: 'Made', zh: '来历' },

  diverged: { en: 'This run diverged: it has no result', zh: '训练发散：没有可用的结果' },
  proofFailed: {
    en: 'Not to be trusted: llama.cpp does not compute what was trained',
    zh: '不可信：llama.cpp 的计算与训练所得不一致',
  },
  failed: { en: 'This run failed', zh: '训练失败' },
  unfinished: { en: 'This run is not finished', zh: '训练尚未完成' },
  unfinishedLead: (p: { readonly steps: string }): Text => ({
    en: `${p.steps} steps were made. It goes on from its last checkpoint.`,
    zh: `已完成 ${p.steps} 步，可从最近的检查点继续。`,
  }),
  beaten: (p: { readonly by: Text }): Text => ({ en: `Beaten by ${p.by.en}`, zh: `不如${p.by.zh}` }),
  worse: (p: { readonly than: Text }): Text => ({ en: `Worse than ${p.than.en}`, zh: `比 ${p.than.zh} 差` }),
  better: (p: { readonly than: Text }): Text => ({ en: `Better than ${p.than.en}`, zh: `优于 ${p.than.zh}` }),
  noDifference: (p: { readonly than: Text }): Text => ({
    en: `Not shown to differ from ${p.than.en}`,
    zh: `未显示出与 ${p.than.zh} 有差别`,
  }),
  tooFew: (p: { readonly n: string }): Text => ({
    en: `Too few examples to say: ${p.n}`,
    zh: `样本太少，无法下结论：${p.n} 个`,
  }),
  doubtful: (p: { readonly said: Text }): Text => ({ en: `${p.said.en}, but doubtful`, zh: `${p.said.zh}，但存疑` }),
  scored: { en: 'Scored, and compared with nothing', zh: '已打分，但没有比较对象' },
  scoreLead: (p: { readonly score: string; readonly low: string; readonly high: string; readonly n: string; readonly metric: string }): Text => ({
    en: `${p.metric}: ${p.score} on ${p.n} examples, 95% interval ${p.low} to ${p.high}`,
    zh: `${p.metric}：${p.n} 个样本上得 ${p.score}，95% 区间 ${p.low} 至 ${p.high}`,
  }), // biome-ignore format: a table
  rightLead: (p: { readonly score: string; readonly low: string; readonly high: string; readonly n: string }): Text => ({
    en: `${p.score} of ${p.n} answers are right, 95% interval ${p.low} to ${p.high}`,
    zh: `${p.n} 个回答中 ${p.score} 正确，95% 区间 ${p.low} 至 ${p.high}`,
  }), // biome-ignore format: a table
  lossFell: { en: 'The held-out loss fell', zh: '验证损失下降了' },
  lossRose: { en: 'The held-out loss did not fall', zh: '验证损失没有下降' },
  lossLead: (p: { readonly before: string; readonly after: string }): Text => ({
    en: `From ${p.before} to ${p.after} nats per token. A falling loss does not show that the answers are better: an evaluation does.`,
    zh: `从 ${p.before} 降到 ${p.after} 奈特/词元。损失下降并不说明回答更好，要看评测。`,
  }),
  lossRoseLead: (p: { readonly before: string; readonly after: string }): Text => ({
    en: `${p.before} nats per token before, ${p.after} after.`,
    zh: `训练前 ${p.before} 奈特/词元，训练后 ${p.after}。`,
  }),
  pretrainLead: (p: { readonly before: string; readonly after: string }): Text => ({
    en: `From ${p.before} to ${p.after} nats per token on text that was held out.`,
    zh: `在保留的文本上，从 ${p.before} 降到 ${p.after} 奈特/词元。`,
  }),
  nothingHeldOut: { en: 'Nothing was held out: whether it worked is unknown', zh: '没有保留数据：无从判断效果' },
  nothingHeldOutLead: {
    en: 'Evaluate it on examples that it was not trained on.',
    zh: '请用未参与训练的样本进行评测。',
  },
  stoppedEarly: { en: 'Stopped before its last step', zh: '提前停止' },
  none: { en: dash, zh: dash },
};
