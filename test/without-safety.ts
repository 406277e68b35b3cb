/**
 * Arguments of the command line, a tuned result's safety check left out where they do not ask for one: it takes as long as the rest of a tiny run, and
 * has tests of its own.
 */
export const withoutSafety = (args: readonly string[]): readonly string[] =>
  args[0] === 'tune' && !args.some((arg) => /^--(resume|safety-share|help)\b/.test(arg))
    ? [...args, '--safety-share', '0']
    : args;
