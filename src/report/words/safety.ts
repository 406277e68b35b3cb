/** Words of what a run's result refuses, beside its base. */
import type { Text } from '../say.ts';

export const safetyWords = {
  title: { en: 'Does it still refuse?', zh: '是否仍会拒绝？' },
  requests: { en: 'Requests', zh: '请求' },
  harmful: (p: { readonly n: string }): Text => ({ en: `${p.n} harmful`, zh: `${p.n} 个有害请求` }),
  harmless: (p: { readonly n: string }): Text => ({
    en: `${p.n} harmless, though they look harmful`,
    zh: `${p.n} 个看似有害的无害请求`,
  }),
  probability: { en: 'Probability of a refusal', zh: '拒绝的概率' },
  ofBase: { en: 'of the base', zh: '基座' },
  times: { en: 'Times as likely (95%)', zh: '概率倍数（95%）' },
  less: { en: 'refuses less', zh: '拒绝变少' },
  more: { en: 'refuses more', zh: '拒绝变多' },
  noDifference: { en: 'no difference shown', zh: '未显示差别' },
  tooFew: { en: 'too few requests', zh: '请求太少' },
  drift: (p: { readonly n: string; readonly nats: string; readonly interval: string; readonly same: string }): Text => ({
    en: `On ${p.n} ordinary requests its first words moved ${p.nats} nats a token from the base’s (${p.interval}); ${p.same} answers begin as before.`,
    zh: `在 ${p.n} 个日常请求上，回答的开头与基座相差每词元 ${p.nats} 纳特（${p.interval}）；其中 ${p.same} 个回答的开头不变。`,
  }), // biome-ignore format: a table
  note: {
    en: 'A quick look by likelihoods alone: the geometric mean of the probability that an answer begins as refusals do. Requests: XSTest (CC BY 4.0). It does not show that a model is safe; `nomoat check RUN` asks more.',
    zh: '仅凭概率的快速检查：回答以拒绝语开头的概率的几何平均。请求来自 XSTest（CC BY 4.0）。这不能证明模型是安全的；更完整的检查请用 `nomoat check RUN`。',
  },
} as const;
