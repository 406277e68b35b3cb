/**
 * The rows that a pretraining run trains on, for other programs: node bench/pretrain-rows.mjs RUN TRAIN.bin VALID.bin    (after npm run build)
 * Only whole rows of the sequence length, as int32.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { prepareTexts } from '../dist/dataset/prepare-texts.js';
import { readTexts } from '../dist/dataset/read-texts.js';

const [run, trainPath, validPath] = process.argv.slice(2);
const { settings } = JSON.parse(readFileSync(join(run, 'run.json'), 'utf8'));
const { train, validation } = await prepareTexts(settings, await readTexts(settings));
const write = (path, rows) => {
  const whole = rows.filter(({ tokens }) => tokens.length === settings.sequenceLength);
  writeFileSync(path, Buffer.concat(whole.map(({ tokens }) => Buffer.from(tokens.buffer, tokens.byteOffset, tokens.byteLength))));
  return whole.length;
};
console.log(`${write(trainPath, train)} training rows, ${write(validPath, validation)} validation rows`);
