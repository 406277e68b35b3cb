/** What was looked into beside the scores: other wordings of the questions, and test examples that are nearly training examples. Pure. */
import type { Evaluation } from '../../evaluate/evaluation.ts';
import { fixed, percent, points, pValue } from '../figures.ts';
import { type Html, html } from '../markup.ts';
import { folded, note, part, table } from '../parts.ts';
import { foreign } from '../say.ts';
import { words } from '../words.ts';

const { result } = words;
/** Pairs that are shown: enough to see of what kind they are. */
const mostPairs = 10;

function wordingPart({ findings: { sensitivity } }: Evaluation): Html | null {
  if (!sensitivity) return null;
  const columns = [
    { name: result.asked },
    { name: result.score, figures: true },
    { name: result.difference, figures: true },
    { name: result.p, figures: true },
  ];
  const rows = sensitivity.rewordings.map(({ difference, how, pValue: p, score }) => [
    how,
    percent(score),
    points(difference),
    pValue(p),
  ]);
  return part(result.wording, [
    table(result.wording, columns, rows, true),
    note(result.wordingNote({ n: String(sensitivity.examples), score: percent(sensitivity.score) })),
  ]);
}

function nearPart({ findings: { nearlyTrainedOn = [] }, questions }: Evaluation): Html | null {
  if (nearlyTrainedOn.length === 0) return null;
  const columns = [{ name: result.tested }, { name: result.learnt }, { name: result.likeness, figures: true }];
  const rows = nearlyTrainedOn
    .slice(0, mostPairs)
    .map(({ example, similar, similarity }) => [
      foreign(questions[example]?.prompt ?? ''),
      foreign(similar),
      fixed(similarity, 2),
    ]);
  return folded(result.nearCount({ n: String(nearlyTrainedOn.length) }), table(result.near, columns, rows, true));
}

/** All that there is. */
export const trust = (evaluation: Evaluation): Html => html`${nearPart(evaluation)}${wordingPart(evaluation)}`;
