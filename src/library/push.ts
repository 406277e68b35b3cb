/**
 * Shares an adapter: as one commit on the hub, or in a folder with a catalogue. Promises: nothing is sent before license, base and weights
 * are found to be in order; what is there is not sent again; nobody sees a part of it; no path of this machine goes along.
 */
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, isAbsolute, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { NomoatError } from '../errors.ts';
import { sharedRecipeOf } from '../run/recipe.ts';
import { RunFolder } from '../run/run-folder.ts';
import { assertHasAdapter, runWarning } from '../run/run-result.ts';
import { isRun } from '../settings/load.ts';
import { folderAddress } from '../store/folder-index.ts';
import { hubAddress } from '../store/hub-address.ts';
import { isRepoId } from '../store/hub-cache.ts';
import { type HubClient, hubClient } from '../store/hub-fetch.ts';
import { type HubPushed, type PushFile, pushToHub } from '../store/hub-push.ts';
import { knownLicenses, licenseConflict, licenseTerms } from '../store/licenses.ts';
import { type Surroundings, surroundings } from '../store/model-folders.ts';
import type { OnPullProgress } from '../store/pull-progress.ts';
import { isSafeRevision } from '../store/shared-folder.ts';
import { assertGiven } from '../words/given.ts';
import { card } from './card.ts';
import { catalogued } from './find-base.ts';
import { baseLicense, leftOutNotes, licenseAsks } from './pull.ts';
import { writtenCard } from './push-card.ts';
import { pushToFolder } from './push-folder.ts';
import { configBase, readShareUnit, type ShareUnit } from './share-unit.ts';

/** Where an adapter is shared, and what its card states. */
export interface PushOptions {
  /** `organisation/name` on the hub, or the path of a new folder below a catalogue (`./shared/org/name`). */
  readonly to: string;
  /** A repository that is made for it is seen by its owners alone (default: false). */
  readonly private?: boolean;
  /** Of the hub: a branch, which is made where there is none (default: main). */
  readonly revision?: string | null;
  /** The adapter's license by the hub's name for it (default: what its card states). */
  readonly license?: string | null;
  /** The base by its id on the hub (default: what card, config or the catalogue of models say). */
  readonly baseModel?: string | null;
  /** Told how far it is. */
  readonly onProgress?: OnPullProgress;
  /** Stops it: nothing of it is visible then, and the next push goes on. */
  readonly signal?: AbortSignal;
}

type Pushing = PushOptions & { readonly around?: Surroundings; readonly retryDelayMs?: number };

/** What was shared. */
export interface Pushed {
  /** Where it is now. */
  readonly url: string;
  /** The commit, or what the files' digests come to. */
  readonly revision: string;
  /** Paths of what was sent; none where all of it was there. */
  readonly sent: readonly string[];
  readonly license: string;
  readonly baseModel: string;
  /** What the licenses ask of those who share it, in sentences. */
  readonly asks: readonly string[];
  /** What should be known, in sentences. */
  readonly notes: readonly string[];
}

interface Target {
  readonly repo: string | null;
  readonly folder: string | null;
}

function targetOf({ revision, to }: Pushing, { endpoint }: HubClient, around: Surroundings): Target {
  assertGiven('`to`', to);
  const refuse = (fault: string, remedy: string): NomoatError =>
    new NomoatError({ code: 'invalid-settings', part: '`to`', fault, remedy });
  const address = folderAddress(to, { endpoint, home: around.home });
  if (address?.protocol === 'file:') {
    if (revision) throw refuse(`${to} is a folder, which has no revisions`, 'Leave `revision` out.');
    return { repo: null, folder: fileURLToPath(address) };
  }
  if (address) throw refuse(`${to} is a web server, which takes nothing`, 'Push to the folder that it serves.');
  const { repo } = hubAddress(to);
  if (!isRepoId(repo))
    throw refuse(
      `"${to}" is no organisation/name of the hub and no path of a folder`,
      'Write a path with ./ or / before it.',
    );
  if (revision && !isSafeRevision(revision))
    throw refuse(`"${revision}" is no name of a branch`, 'Leave `revision` out for main.');
  return { repo, folder: null };
}

interface OwnUnit {
  readonly unit: ShareUnit;
  readonly readme: string | null;
  /** A run's settings for others; null of what is no run. */
  readonly recipe: string | null;
  readonly notes: readonly string[];
}

/** The folder to share, and a card where it is a run's: with what its end found. */
function unitOf(source: string, { baseModel, license }: Pushing): OwnUnit {
  assertGiven('what is pushed', source);
  if (!isRun(source)) {
    const unit = readShareUnit(source);
    return { unit, readme: unit.readme, recipe: null, notes: [] };
  }
  const folder = new RunFolder(source);
  const record = folder.read();
  const warning = runWarning(source, record);
  assertHasAdapter(source, record, folder.adapter);
  const unit = readShareUnit(folder.adapter);
  const { readme } = card(source, { ...(baseModel ? { baseModel } : {}), ...(license ? { license } : {}) });
  return {
    unit,
    readme,
    recipe: sharedRecipeOf(record, surroundings().home),
    notes: warning === null ? [] : [warning],
  };
}

interface Stated {
  readonly license: string;
  readonly baseModel: string;
  readonly asks: readonly string[];
  readonly notes: readonly string[];
}

/** License and base that go along. Throws NomoatError where one is missing or they do not go together. */
async function stated(unit: ShareUnit, options: Pushing, client: HubClient | null): Promise<Stated> {
  const entry = catalogued({ file: unit.base, id: unit.facts.baseModel });
  const baseModel = options.baseModel ?? unit.facts.baseModel ?? entry?.repos[0] ?? null;
  const license = options.license ?? unit.facts.license;
  const ofBase = await baseLicense(client, baseModel);
  const faults = [
    ...(baseModel === null ? ['it is not stated which base the adapter is for (`baseModel`)'] : []),
    ...(baseModel !== null && !isRepoId(baseModel) ? [`"${baseModel}" is no id of the hub (\`baseModel\`)`] : []),
    ...(license === null
      ? [`its card states no license (\`license\`${ofBase === null ? '' : `; the base is under ${ofBase}`})`]
      : []),
  ];
  const conflict = license === null || ofBase === null ? null : licenseConflict(license, ofBase);
  if (conflict !== null) faults.push(conflict);
  if (faults.length > 0 || license === null || baseModel === null)
    throw new NomoatError({
      code: 'unusable-license',
      part: unit.folder,
      fault: faults.join('; '),
      remedy: `Whoever uses it has to know what they may: give the hub's names, such as ${ofBase ?? knownLicenses[0]!}.`,
      fields: { faults, license, baseModel, baseLicense: ofBase },
    });
  const prefix = ofBase === null ? null : (licenseTerms(ofBase)?.namePrefix ?? null);
  const name = basename(options.to);
  const misnamed =
    prefix !== null && !name.toLowerCase().startsWith(prefix.toLowerCase().replaceAll(' ', '-'))
      ? [`The license of ${baseModel} asks that the name begin with "${prefix}"; ${name} does not.`]
      : [];
  const unknown =
    ofBase === null ? [`The license of ${baseModel} is not known here: look whether ${license} goes with it.`] : [];
  return { license, baseModel, asks: licenseAsks([license, ofBase]), notes: [...misnamed, ...unknown] };
}

/** The files with card and config as they go along, written into `folder` where they differ from what lies here. */
function stagedFiles(
  { readme, recipe, unit }: OwnUnit,
  facts: Stated,
  folder: string,
): { files: PushFile[]; notes: string[] } {
  const title = `# LoRA adapter for ${facts.baseModel}\n`;
  // Of what is sealed it is enough that the card states both.
  const isStated = unit.isSealed && unit.facts.license !== null && unit.facts.baseModel === facts.baseModel;
  const written = isStated && readme !== null ? readme : writtenCard(readme ?? title, facts, facts.asks);
  const texts = new Map([['README.md', written]]);
  if (recipe !== null) texts.set('recipe.yaml', recipe);
  const named = configBase(unit.adapter);
  const notes: string[] = [];
  // A path of the machine that it was trained on is of no use to others, and none of their business.
  if (named !== null && (isAbsolute(named) || /^[.~]|^[a-z]:\\/i.test(named))) {
    const source = join(unit.adapter, 'adapter_config.json');
    const config = {
      ...(JSON.parse(readFileSync(source, 'utf8')) as object),
      base_model_name_or_path: facts.baseModel,
    };
    const path = unit.files.find((file) => file.source === source)!.path;
    texts.set(path, `${JSON.stringify(config, null, 2)}\n`);
    notes.push(`${path} named a path of this machine as its base; what is shared names ${facts.baseModel}.`);
  }
  const changed = [...texts].filter(([path, text]) => {
    const source = join(unit.folder, path);
    return !existsSync(source) || readFileSync(source, 'utf8') !== text;
  });
  if (unit.isSealed && changed.length > 0)
    throw sealed(
      unit,
      changed.map(([path]) => path),
    );
  const staged = changed.map(([path, text], i): PushFile => {
    const source = join(folder, String(i));
    writeFileSync(source, text);
    return { path, source, bytes: Buffer.byteLength(text) };
  });
  const others = unit.files.filter(({ path }) => !texts.has(path) || !changed.some(([each]) => each === path));
  return { files: [...others, ...staged], notes };
}

const sealed = ({ folder }: ShareUnit, paths: readonly string[]): NomoatError =>
  new NomoatError({
    code: 'unusable-license',
    part: folder,
    fault: `${paths.join(', ')} would have to be changed to state base and license, and the list of its digests holds it as it is`,
    remedy: 'Pack it again with `license` and `baseModel`, then push that.',
  });

/**
 * Shares the adapter of a run, a bundle, or a folder in PEFT's or mlx-lm's form. Rejects with NomoatError: before anything is sent where
 * license or base are missing or do not go together; of kind `interrupted` where `signal` is aborted.
 */
export const push = (source: string, options: PushOptions): Promise<Pushed> => pushFrom(source, options);

/** The same, with surroundings of one's own. */
export async function pushFrom(source: string, options: Pushing): Promise<Pushed> {
  const around = options.around ?? surroundings();
  const client = hubClient(around, options.signal);
  const target = targetOf(options, client, around);
  const own = unitOf(source, options);
  const { notes: warnings, unit } = own;
  const facts = await stated(unit, options, target.repo === null ? null : client);
  const staging = mkdtempSync(join(tmpdir(), 'nomoat-push-'));
  try {
    const { files, notes } = stagedFiles(own, facts, staging);
    for (const sentence of facts.asks)
      options.onProgress?.({ phase: 'resolve', message: sentence, receivedBytes: 0, totalBytes: null });
    const pushed = await sendTo(target, files, client, options);
    const { license, baseModel, asks } = facts;
    const { others, revision, sent, url } = pushed;
    const more =
      others.length > 0
        ? [`Left as they were there: ${others.slice(0, 8).join(', ')}${others.length > 8 ? ' and more' : ''}.`]
        : [];
    return {
      url,
      revision,
      sent,
      license,
      baseModel,
      asks,
      notes: [...warnings, ...facts.notes, ...notes, ...leftOutNotes(unit.leftOut), ...more],
    };
  } finally {
    rmSync(staging, { recursive: true, force: true });
  }
}

function sendTo(
  { folder, repo }: Target,
  files: readonly PushFile[],
  client: HubClient,
  options: Pushing,
): Promise<HubPushed> {
  const { onProgress, retryDelayMs, signal } = options;
  if (repo === null) return pushToFolder(resolve(folder!), files, signal);
  if (!client.hasToken)
    throw new NomoatError({
      code: 'upload-failed',
      part: repo,
      fault: 'the hub takes nothing without a token, and there is none here',
      remedy: 'Make one with write access in the settings of your account, and set HF_TOKEN or run `hf auth login`.',
      fields: { problem: 'unauthorised' },
    });
  return pushToHub(client, {
    repo,
    revision: options.revision ?? 'main',
    files,
    isPrivate: options.private ?? false,
    title: 'Adapter pushed with nomoat',
    onProgress,
    signal,
    retryDelayMs,
  });
}
