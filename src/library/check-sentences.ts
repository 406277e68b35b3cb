/** What a safety check found beside refusals and first words, in sentences. Pure. */
import type { CanaryExposure } from '../evaluate/trust/memorisation.ts';
import type { GuardFigures } from '../safety/guard.ts';
import type { PersonalFindings } from '../safety/personal-completions.ts';
import type { AdapterFigures } from './check-adapter.ts';

/** What is said of. */
export interface FoundBeside {
  readonly personal: PersonalFindings | null;
  readonly canaries: readonly CanaryExposure[];
  readonly guard: GuardFigures | null;
  readonly adapter: AdapterFigures | null;
}

const percent = (share: number): string => `${(100 * share).toFixed(0)}%`;

function personalSentences({ given, learntRows, values }: PersonalFindings): string[] {
  const leaked = values.filter(({ by, learnt }) => by !== 'base' && learnt);
  const invented = values.filter(({ by, learnt }) => by !== 'base' && !learnt).length;
  const own =
    learntRows === null || learntRows === 0
      ? []
      : [
          `Of ${learntRows} values of persons or keys in answers that it has learnt, it gives ${given.model} when it is led up to them; its base gives ${given.base}.`,
        ];
  return [
    ...own,
    ...(leaked.length > 0
      ? [
          `It gives ${leaked.length} values out of its training data after common beginnings: ${leaked.map(({ excerpt }) => excerpt).join('; ')}.`,
        ]
      : []),
    ...(invented > 0
      ? [
          `It completes ${invented} common beginnings with something of the form of personal data or keys${learntRows === null ? '; whether it was learnt is not known' : ', none of it in its training data'}.`,
        ]
      : []),
  ];
}

/** An exposure of so many bits less than the most is as good as the most. */
const nearly = 1;

function canarySentences(canaries: readonly CanaryExposure[]): string[] {
  const known = canaries.filter(({ among, exposure }) => exposure > Math.log2(among) - nearly).length;
  return canaries.length === 0
    ? []
    : [
        `Of ${canaries.length} canaries, ${known} are as likely as can be among others of their form: those are known by heart.`,
      ];
}

function guardSentences({ against, guard, judged, unsafe }: GuardFigures): string[] {
  const beside =
    unsafe.base === null || against === null
      ? ''
      : `, of its base's ${percent(unsafe.base)} (p = ${against.pValue.toFixed(3)})`;
  return [
    `${guard} calls ${percent(unsafe.model)} of ${judged} answers to harmful requests unsafe${beside}: the opinion of a model.`,
  ];
}

function adapterSentences({ files, format, parameters, spectrum, strongest, updates }: AdapterFigures): string[] {
  const bytes = files.reduce((sum, each) => sum + each.bytes, 0);
  const largest =
    strongest === null
      ? ''
      : `; the largest change is ${percent(strongest.relative)} of its weight's norm (layer ${strongest.layer} ${strongest.projection})`;
  return [
    `The adapter: ${format}, ${(bytes / 1e6).toFixed(1)} MB, ${parameters.toLocaleString('en')} numbers, on ${updates} weights${largest}. ${spectrum}`,
  ];
}

/** Said at the end: what no check can give. */
const limits = 'These are samples: what is not found here is not shown to be absent, and no model is shown to be safe.';

/** All of it. */
export const findingSentences = ({ adapter, canaries, guard, personal }: FoundBeside): string[] => [
  ...(guard ? guardSentences(guard) : []),
  ...(personal ? personalSentences(personal) : []),
  ...canarySentences(canaries),
  ...(adapter ? adapterSentences(adapter) : []),
  limits,
];
