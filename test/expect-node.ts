/** Holds `npm run test:nodes` to its word: the tests run on the Node that it names, not on the one that vitest runs on. */
const wanted = process.env.NOMOAT_TEST_NODE;
if (process.versions.node !== wanted)
  throw new Error(`these tests run on Node ${process.versions.node}, not ${wanted}`);
