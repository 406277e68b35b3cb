/** Metrics of single answers, by name; src/evaluate/metrics/metric.ts has what they compute. */
export const metricNames = ['exact', 'normalised', 'contains', 'json', 'token-f1', 'rouge-l', 'chrf', 'bleu'] as const;
/** exact, normalised, contains, json, token-f1, rouge-l, chrf or bleu. */
export type MetricName = (typeof metricNames)[number];
