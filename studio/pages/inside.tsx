/** A look inside a run: what changed where, which tokens, why it said something, what it was made of. */
import '../inside.css';
import type { JSX } from 'preact';
import { commandLine, libraryCall } from '../commands.ts';
import { AsCommand, Notice } from '../parts.tsx';
import { w } from '../words.ts';
import { Compare } from './inside/compare.tsx';
import { Layers } from './inside/layers.tsx';
import { Lens } from './inside/lens.tsx';
import { Lineage } from './inside/lineage.tsx';
import { Sources } from './inside/sources.tsx';
import { Tokens } from './inside/tokens.tsx';
import type { PartProps } from './part.ts';

export function Inside({ name, run }: PartProps): JSX.Element {
  const words = w();
  if (run && !run.result) return <Notice>{words.result.notYet}</Notice>;
  return (
    <>
      <p class="lead">{words.inside.lead}</p>
      <Layers run={name} />
      <Tokens run={name} />
      <Sources run={name} />
      <Lineage adapter={name} />
      <Lens run={name} />
      <Compare run={name} />
      <AsCommand
        command={[
          commandLine('inspect', [`runs/${name}`], {}),
          commandLine('inspect', [`runs/${name}`], { data: 'test.jsonl' }),
          commandLine('inspect', [`runs/${name}`], { prompt: 'question', answer: 'answer' }),
          commandLine('lineage', [`runs/${name}`], { verify: true }),
        ].join('\n')}
        program={`${libraryCall('inspectAdapter', { adapter: `runs/${name}` })}\n// tokenChanges(), answerSources(), logitLens(), compareAdapters() and lineage() likewise`}
      />
    </>
  );
}
