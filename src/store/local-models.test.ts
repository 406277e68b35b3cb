import { chmodSync, linkSync, mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { canLink } from '../../test/can-link.ts';
import type { NomoatError } from '../errors.ts';
import { findLocalModels, resolveModel } from './local-models.ts';
import { scanLocalModels } from './local-scan.ts';
import type { Surroundings } from './model-folders.ts';

const newCommit = 'a'.repeat(40);
const oldCommit = 'b'.repeat(40);
const canRefuseReading = process.platform !== 'win32' && process.getuid?.() !== 0;

let home: string;
let around: Surroundings;

beforeEach(() => {
  home = realpathSync(mkdtempSync(join(tmpdir(), 'nomoat-local-')));
  // Ollama's folder is set so that a real one of this machine cannot be seen.
  around = { env: { OLLAMA_MODELS: join(home, '.ollama', 'models') }, home };
});

afterEach(() => rmSync(home, { recursive: true, force: true }));

function write(path: string, text = 'GGUF model'): string {
  const absolute = join(home, path);
  mkdirSync(dirname(absolute), { recursive: true });
  writeFileSync(absolute, text);
  return absolute;
}

function link(target: string, path: string): string {
  const absolute = join(home, path);
  mkdirSync(dirname(absolute), { recursive: true });
  // Where none can be made, the cache holds the file itself (hub-cache.ts).
  if (canLink) symlinkSync(target, absolute);
  else linkSync(resolve(dirname(absolute), target), absolute);
  return absolute;
}

function hubModel(repo: string, file: string, commit = newCommit, text = 'GGUF model'): string {
  const folder = `.cache/huggingface/hub/models--${repo.replace('/', '--')}`;
  const digest = `${commit[0]}${file.length}`;
  write(`${folder}/blobs/${digest}`, text);
  return link(join('..', '..', 'blobs', digest), `${folder}/snapshots/${commit}/${file}`);
}

function ollamaModel(tagPath: string, hex: string, text = 'GGUF of ollama'): string {
  const layers = [
    { mediaType: 'application/vnd.ollama.image.template', digest: `sha256:${'0'.repeat(64)}` },
    { mediaType: 'application/vnd.ollama.image.model', digest: `sha256:${hex.repeat(64)}` },
  ];
  write(`.ollama/models/manifests/${tagPath}`, JSON.stringify({ schemaVersion: 2, layers }));
  return write(`.ollama/models/blobs/sha256-${hex.repeat(64)}`, text);
}

async function failure(name: string): Promise<NomoatError> {
  return resolveModel(name, around).then(
    () => expect.fail('should have been refused'),
    (error: NomoatError) => error,
  );
}

describe('finding', () => {
  test('models of every program, each with the name that `model` takes', async () => {
    hubModel('Qwen/Qwen3-0.6B-GGUF', 'Qwen3-0.6B-Q8_0.gguf');
    hubModel('Qwen/Qwen3-0.6B-GGUF', 'Qwen3-0.6B-Q4_K_M.gguf');
    write('.lmstudio/models/bartowski/Phi-GGUF/phi.Q4_0.gguf');
    write('.cache/lm-studio/models/someone/Old-GGUF/old.gguf');
    write('.cache/nomoat/models/smollm2-135m/SmolLM2-135M-Instruct.Q4_1.gguf');
    ollamaModel('registry.ollama.ai/library/llama3.2/1b', '1');
    ollamaModel('registry.ollama.ai/someone/thing/latest', '2');
    ollamaModel('hf.co/bartowski/Phi-GGUF/Q4_0', '3');
    const found = await findLocalModels(around);
    expect(found.map(({ name, source, repo }) => [name, source, repo])).toEqual([
      ['hf.co/bartowski/Phi-GGUF:Q4_0', 'ollama', null],
      ['llama3.2:1b', 'ollama', null],
      ['old', 'lm-studio', 'someone/Old-GGUF'],
      ['phi.Q4_0', 'lm-studio', 'bartowski/Phi-GGUF'],
      ['qwen3-0.6b', 'hugging-face', 'Qwen/Qwen3-0.6B-GGUF'],
      ['Qwen3-0.6B-Q4_K_M', 'hugging-face', 'Qwen/Qwen3-0.6B-GGUF'],
      ['smollm2-135m', 'nomoat', null],
      ['someone/thing:latest', 'ollama', null],
    ]);
    expect(found.every((model) => model.bytes >= 10)).toBe(true);
    expect(scanLocalModels(around).problems).toEqual([]);
  });

  test('nothing, where no program was', async () => {
    expect(scanLocalModels(around)).toMatchObject({ models: [], problems: [] });
  });

  test('leaves out what is no whole model: projectors, parts, other files, unfinished pulls', async () => {
    write('.lmstudio/models/a/b/mmproj-b.gguf');
    write('.lmstudio/models/a/b/b-00001-of-00002.gguf');
    write('.lmstudio/models/a/b/readme.md');
    write('.cache/nomoat/models/smollm2-135m/.pull-x/unpacked/m.gguf');
    expect(await findLocalModels(around)).toEqual([]);
  });

  const newestOnly = async (changed: (current: string) => void): Promise<void> => {
    hubModel('a/b-GGUF', 'b.gguf', oldCommit, 'GGUF old');
    const current = hubModel('a/b-GGUF', 'b.gguf', newCommit, 'GGUF newer');
    write('.cache/huggingface/hub/models--a--b-GGUF/refs/main', newCommit);
    changed(current);
    expect((await findLocalModels(around)).map((model) => model.path)).toEqual([current]);
  };
  test('the newest revision only', () => newestOnly(() => {}));
  test.skipIf(!canLink)('the newest revision only, and one file once (needs links)', () =>
    newestOnly((current) => link(current, '.lmstudio/models/a/b/same.gguf')),
  );

  test.skipIf(!canLink)(
    'survives links in circles, dangling links and broken files, and reports them (needs links)',
    () => {
      write('.lmstudio/models/a/b/good.gguf');
      link(join(home, '.lmstudio', 'models'), '.lmstudio/models/a/b/circle');
      link('itself.gguf', '.lmstudio/models/a/b/itself.gguf');
      link('gone.gguf', '.lmstudio/models/a/b/dangling.gguf');
      write('.lmstudio/models/a/b/false.gguf', 'not one');
      write('.lmstudio/models/a/b/empty.gguf', '');
      write('.ollama/models/manifests/registry.ollama.ai/library/x/broken', '{');
      write('.ollama/models/manifests/registry.ollama.ai/library/x/list', '[]');
      const away = {
        layers: [{ mediaType: 'application/vnd.ollama.image.model', digest: `sha256:${'4'.repeat(64)}` }],
      };
      write('.ollama/models/manifests/registry.ollama.ai/library/x/away', JSON.stringify(away));
      const hostile = { layers: [{ ...away.layers[0], digest: 'sha256:../../../etc/passwd' }] };
      write('.ollama/models/manifests/registry.ollama.ai/library/x/hostile', JSON.stringify(hostile));
      const { models, problems } = scanLocalModels(around);
      expect(models.map((model) => model.name)).toEqual(['good']);
      const faults = problems.map(({ path, fault }) => `${path.split('/').at(-1)}: ${fault}`).join('\n');
      for (const part of [/false\.gguf: is not a GGUF/, /empty\.gguf: is not a GGUF/, /itself\.gguf: ELOOP/]) {
        expect(faults).toMatch(part);
      }
      for (const part of [
        /broken: .*JSON/,
        /list: .*without layers/,
        /away: .*not there/,
        /hostile: .*unusable digest/,
      ]) {
        expect(faults).toMatch(part);
      }
      expect(problems).toHaveLength(7);
    },
  );

  test.skipIf(!canRefuseReading)('a folder that may not be read is reported (needs a user other than root)', () => {
    write('.lmstudio/models/a/b/good.gguf');
    write('.lmstudio/models/secret/b/hidden.gguf');
    const secret = join(home, '.lmstudio', 'models', 'secret');
    chmodSync(secret, 0);
    const { models, problems } = scanLocalModels(around);
    chmodSync(secret, 0o700);
    expect(models.map((model) => model.name)).toEqual(['good']);
    expect(problems).toMatchObject([{ path: secret }]);
  });
});

describe('resolving', () => {
  test('a path wins over every name', async () => {
    const path = write('smollm2-135m', 'GGUF in a file of that name');
    expect(await resolveModel(path, around)).toEqual({ path, name: 'smollm2-135m' });
    expect(await resolveModel('~/smollm2-135m', around)).toEqual({ path, name: 'smollm2-135m' });
  });

  test('a folder with one GGUF is that GGUF, with several a question', async () => {
    const path = write('folder/one.gguf');
    expect(await resolveModel(join(home, 'folder'), around)).toEqual({ path, name: 'one' });
    write('folder/two.gguf');
    expect((await failure(join(home, 'folder'))).message).toMatch(
      /2 GGUF files. Give one of them: \S*folder.one\.gguf, \S*folder.two\.gguf/,
    );
    mkdirSync(join(home, 'none'));
    expect((await failure(join(home, 'none'))).message).toMatch(/folder without a GGUF file/);
  });

  test.each([
    ['qwen3-0.6b', 'qwen3-0.6b'],
    ['QWEN3-0.6B', 'qwen3-0.6b'],
    ['Qwen3-0.6B-Q8_0', 'qwen3-0.6b'],
    ['Qwen3-0.6B-Q8_0.gguf', 'qwen3-0.6b'],
    ['Qwen/Qwen3-0.6B-GGUF', 'qwen3-0.6b'],
    ['llama3.2:1b', 'llama3.2:1b'],
    ['thing', 'thing:latest'],
    ['phi.Q4_0', 'phi.Q4_0'],
  ])('%s', async (asked, name) => {
    hubModel('Qwen/Qwen3-0.6B-GGUF', 'Qwen3-0.6B-Q8_0.gguf');
    ollamaModel('registry.ollama.ai/library/llama3.2/1b', '1');
    ollamaModel('registry.ollama.ai/library/thing/latest', '2');
    write('.lmstudio/models/bartowski/Phi-GGUF/phi.Q4_0.gguf');
    const found = await resolveModel(asked, around);
    expect(found.name).toBe(name);
    expect((await findLocalModels(around)).find((model) => model.name === name)?.path).toBe(found.path);
  });

  test('the hub before PyPI, nomoat before LM Studio; two of one program are a question', async () => {
    const own = write('.cache/nomoat/models/smollm2-135m/SmolLM2-135M-Instruct.Q4_1.gguf');
    expect((await resolveModel('smollm2-135m', around)).path).toBe(own);
    const hub = hubModel('bartowski/SmolLM2-135M-Instruct-GGUF', 'SmolLM2-135M-Instruct-Q8_0.gguf');
    expect((await resolveModel('smollm2-135m', around)).path).toBe(hub);
    write('.lmstudio/models/a/b/twin.gguf', 'GGUF one');
    write('.lmstudio/models/c/d/twin.gguf', 'GGUF another');
    expect((await failure('twin')).message).toMatch(/means 2 different files.*a.b.twin\.gguf.*c.d.twin\.gguf/);
  });

  test('what is only in the catalogue says how to fetch it', async () => {
    const error = await failure('Mistral-7B');
    expect(error.remedy).toBe("Fetch it: `pullModel('mistral-7b')`");
    expect(error.kind).toBe('input');
  });

  test('a folder of weights in other formats says how they become a GGUF', async () => {
    write('weights/model.safetensors', 'x');
    expect((await failure(join(home, 'weights'))).message).toMatch(
      /holds weights in other formats.*convert_hf_to_gguf/,
    );
  });

  test('the folder of an adapter says where it belongs', async () => {
    write('lora/adapter_model.safetensors', 'x');
    write('lora/adapter_config.json', '{}');
    expect((await failure(join(home, 'lora'))).message).toMatch(
      /lora: holds an adapter, no model\. Give it with `adapter`/,
    );
  });

  test.skipIf(!canLink)(
    'a link to nothing is called one, and what lies beside it is named as it has to be given (needs links)',
    async () => {
      write('linked/right.gguf');
      symlinkSync(join(home, 'away.gguf'), join(home, 'linked/rigth.gguf'));
      const error = await failure(join(home, 'linked/rigth.gguf'));
      expect(error.fault).toMatch(/linked.rigth\.gguf is a link to a file that is not there/);
      expect(error.remedy).toBe(`Did you mean ${join(home, 'linked/right.gguf')}?`);
    },
  );

  test('what is nowhere names the nearest, of the catalogue, this machine and the folder', async () => {
    expect((await failure('qwen3-06b')).remedy).toMatch(/Did you mean qwen3-0\.6b/);
    write('.lmstudio/models/a/b/wizard.gguf');
    expect((await failure('wizzard')).remedy).toMatch(/wizard/);
    write('here/mine.gguf');
    expect((await failure(join(home, 'here', 'mime.gguf'))).message).toMatch(/there is no file/);
    expect((await failure('zzzzzzzzzzzzzzz')).remedy).toMatch(/`listModels\(\)`/);
  });
});
