/** Metrics by name; src/evaluate/metrics/metric.ts has what they compute. */
export const metricNames = [
  'exact',
  'normalised',
  'contains',
  'regex',
  'macro-f1',
  'json',
  'json-valid',
  'token-f1',
  'rouge-l',
  'chrf',
  'bleu',
  'label-likelihood',
  'label-likelihood-norm',
] as const;
/** exact, normalised, contains, regex, macro-f1, json, json-valid, token-f1, rouge-l, chrf, bleu, label-likelihood or label-likelihood-norm. */
export type MetricName = (typeof metricNames)[number];
