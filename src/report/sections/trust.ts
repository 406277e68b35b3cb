/** What was looked into beside the scores: other wordings of the questions, test examples that are nearly training examples, what is known by heart. Pure. */
import type { Evaluation } from '../../evaluate/evaluation.ts';
import type { Memorisation, ToldApart } from '../../evaluate/trust/memorisation.ts';
import { count, fixed, percent, points, pValue } from '../figures.ts';
import { type Html, html, type Part } from '../markup.ts';
import { folded, note, part, table } from '../parts.ts';
import { foreign, say, type Text } from '../say.ts';
import { rewordingTexts } from '../words/trust.ts';
import { words } from '../words.ts';

const { result, trust: said } = words;
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
    say({ en: how, zh: rewordingTexts[how] ?? how }),
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

/** Canaries that are shown, the most exposed first. */
const mostCanaries = 20;

function canariesTable({ canaries }: Memorisation): Html | null {
  if (canaries.length === 0) return null;
  const columns = [{ name: said.canary }, { name: said.exposure, figures: true }, { name: said.among, figures: true }];
  const rows = canaries
    .toSorted((first, second) => second.exposure - first.exposure)
    .slice(0, mostCanaries)
    .map(({ among, exposure, text }) => [foreign(text), fixed(exposure, 1), count(among)]);
  return html`${table(said.canaries, columns, rows, true)}${note(said.canariesNote)}`;
}

function memorisationPart({ findings: { memorisation } }: Evaluation): Html | null {
  if (!memorisation) return null;
  const { examples, prompts } = memorisation;
  const columns = [
    { name: said.what },
    { name: said.learnt, figures: true },
    { name: said.heldOut, figures: true },
    { name: said.apart, figures: true },
    { name: said.chance, figures: true },
  ];
  const row = (name: Text, { given, separation, standardError }: ToldApart): Part[] => [
    say(name),
    percent(given.learnt),
    percent(given.heldOut),
    percent(separation),
    percent(standardError),
  ];
  const rows = [row(said.answers, memorisation), ...(prompts ? [row(said.prompts, prompts)] : [])];
  const figures = { learnt: count(examples.learnt), heldOut: count(examples.heldOut) };
  return part(said.byHeart, [
    table(said.byHeart, columns, rows),
    note(said.byHeartNote(figures)),
    html`${canariesTable(memorisation)}`,
  ]);
}

/** All that there is. */
export const trust = (evaluation: Evaluation): Html =>
  html`${nearPart(evaluation)}${wordingPart(evaluation)}${memorisationPart(evaluation)}`;
