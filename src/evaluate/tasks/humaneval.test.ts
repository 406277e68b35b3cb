import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { expect, test } from 'vitest';
import { humaneval } from './humaneval.ts';
import { runPython } from './python-sandbox.ts';
import type { TextQuestion } from './task.ts';

const hasPython = spawnSync('python3', ['--version']).status === 0;
const needsPython = hasPython ? '' : ' (skipped: needs python3)';
const question = humaneval.read(
  {
    task_id: 'x/0',
    prompt: 'def add(a, b):\n    """Sum."""\n',
    entry_point: 'add',
    test: 'def check(candidate):\n    assert candidate(2, 3) == 5\n',
    canonical_solution: '    return a + b\n',
  },
  'HumanEval',
)!.question as TextQuestion;

test('prompts are as they stand, and end where the harness ends them', () => {
  expect([question.prompt, question.until.length, question.maxTokens]).toEqual([
    'def add(a, b):\n    """Sum."""\n',
    5,
    1024,
  ]);
});

test.runIf(hasPython)(
  `a function that passes its tests counts, a wrong or broken one does not${needsPython}`,
  async () => {
    const passes = async (answer: string) => ((await question.score(answer)) as { 'pass@1': number })['pass@1'];
    expect(await passes('    return a + b\n')).toBe(1);
    expect(await passes('    return a - b\n')).toBe(0);
    expect(await passes('    return a +\n')).toBe(0);
    // Who ends early has not passed, whatever it says.
    expect(await passes('    print("passed")\n    import os; os._exit(0)\n')).toBe(0);
    expect(await passes('    raise SystemExit(0)\n')).toBe(0);
  },
  30_000,
);

test.runIf(hasPython)(
  `programs are bounded and leave nothing${needsPython}`,
  async () => {
    const before = readdirSync(tmpdir()).filter((name) => name.startsWith('nomoat-program-')).length;
    const start = performance.now();
    expect(await runPython('while True: pass')).toBe(false);
    expect(performance.now() - start).toBeLessThan(10_000);
    expect(await runPython('x = "a" * (3 << 30)')).toBe(false);
    expect(await runPython('open("big", "w").write("a" * (2 << 20))')).toBe(false);
    process.env['SECRET_OF_THE_TEST'] = 'x';
    expect(await runPython('import os\nassert "SECRET_OF_THE_TEST" not in os.environ')).toBe(true);
    const left = `${tmpdir()}/nomoat-left-${process.pid}`;
    // What it starts ends with it.
    await runPython(`import subprocess\nsubprocess.Popen(["sh", "-c", "sleep 4; touch ${left}"])\nwhile True: pass`);
    await new Promise((resolve) => setTimeout(resolve, 2000));
    expect(existsSync(left)).toBe(false);
    expect(readdirSync(tmpdir()).filter((name) => name.startsWith('nomoat-program-')).length).toBeLessThanOrEqual(
      before,
    );
  },
  60_000,
);
