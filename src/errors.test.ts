import { expect, test } from 'vitest';
import { NomoatError } from './errors.ts';

test('an error names part, fault and remedy, and survives JSON', () => {
  const error = new NomoatError({ part: '`rank`', fault: 'is 0', remedy: 'Use 1 to 1024.', fields: { rank: 0 } });
  expect(error.message).toBe('`rank`: is 0. Use 1 to 1024.');
  expect(JSON.parse(JSON.stringify(error))).toMatchObject({ kind: 'input', part: '`rank`', fields: { rank: 0 } });
});
