/** Stacks by names of models: what they stand for, and what is none. */
import { expect, it } from 'vitest';
import { namedStack } from './named-stack.ts';
import type { ServedModel } from './served-model.ts';

const served = (id: string, parts: Partial<ServedModel> = {}): ServedModel => ({
  id,
  path: `/runs/${id}`,
  base: null,
  aliases: [],
  created: 1,
  ownedBy: 'nomoat',
  parent: 'base',
  ...parts,
});
const models = [
  served('ft:base:nomoat:a:1', { aliases: ['a'] }),
  served('b+c', { created: 7 }),
  served('base', { path: '/base.gguf', parent: null }),
  served('loaded', { path: '/adapters/loaded', base: '/base.gguf' }),
];
const find = (name: string): ServedModel | null =>
  models.find(({ aliases, id }) => id === name || aliases.includes(name)) ?? null;

it('names runs, checkpoints of the list, and loaded adapters, each with its scale', () => {
  expect(namedStack('a@0.7+b+c', find)).toMatchObject({
    id: 'a@0.7+b+c',
    path: '/runs/ft:base:nomoat:a:1@0.7+/runs/b+c',
    base: null,
    parent: 'base',
    created: 7,
  });
  expect(namedStack('base+a@0.5+loaded', find)).toMatchObject({
    path: '/base.gguf+/runs/ft:base:nomoat:a:1@0.5+/adapters/loaded',
    parent: 'base',
  });
  expect(namedStack('loaded@0.2+a', find)).toMatchObject({
    path: '/adapters/loaded@0.2+/runs/ft:base:nomoat:a:1',
    base: '/base.gguf',
  });
});

it.each(['a', 'a+nobody', 'a+', 'a@x+b+c', '/runs/x+a', 'nobody@0.5'])('%s is no stack', (name) => {
  expect(namedStack(name, find)).toBeNull();
});

it('scales and length have the bounds of lora, and a base is no adapter', () => {
  expect(() => namedStack('a@3', find)).toThrow(/scales are 0 to 2/);
  expect(() => namedStack('a@-1+b+c', find)).toThrow(/scales are 0 to 2/);
  expect(() => namedStack(Array(10).fill('a').join('+'), find)).toThrow(/a stack of 10, and 9 are the most/);
  expect(() => namedStack('a+base', find)).toThrow(/'base' is no adapter/);
});
