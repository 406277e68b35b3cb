import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type DoctorParts, doctor } from './doctor.ts';
import { type MachineFacts, machineFacts } from './machine.ts';
import { renderDoctor } from './render-doctor.ts';

const goodMachine: MachineFacts = {
  ...machineFacts(),
  platform: 'linux',
  architecture: 'x64',
  physicalCores: 8,
  processorLimit: null,
  instructionSets: ['avx2'],
  memoryTotalBytes: 16e9,
  memoryAvailableBytes: 12e9,
  load: 0.1,
};

let home: string;

beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'nomoat-doctor-'));
  mkdirSync(join(home, '.lmstudio', 'models', 'a', 'b'), { recursive: true });
  writeFileSync(join(home, '.lmstudio', 'models', 'a', 'b', 'tiny.gguf'), 'GGUF');
});

afterEach(() => rmSync(home, { recursive: true, force: true }));

function examine(parts: Partial<DoctorParts> = {}) {
  const good: Partial<DoctorParts> = {
    machine: () => goodMachine,
    nodeVersion: '22.1.0',
    packageVersion: () => '1.2.3',
    providers: async () => [{ name: 'cpu', bundled: true }],
    loadKernels: async () => 'avx512-vnni',
    findAdapter: () => ({ found: false, reason: 'none in this test' }),
    startLlamaCpp: async () => 'llama.cpp test',
  };
  const around = { env: { OLLAMA_MODELS: join(home, 'none') }, home };
  return doctor({ around, runsFolder: home, parts: { ...good, ...parts } });
}

const machine = (changes: Partial<MachineFacts>) => ({ machine: () => ({ ...goodMachine, ...changes }) });

describe('the doctor', () => {
  test('finds nothing wrong with a good machine, and shows what it has', async () => {
    const report = await examine();
    expect(report.findings.filter((found) => !/free for/.test(found.fault))).toEqual([]);
    const text = renderDoctor(report);
    for (const part of ['8 physical', 'avx2', '12.0 GB free of 16.0 GB', 'node 22.1.0', 'node-llama-cpp 1.2.3']) {
      expect(text).toContain(part);
    }
    expect(text).toMatch(/webgpu +no adapter: none in this test/);
    for (const part of ['providers cpu', 'llama.cpp test', 'tiny', home]) expect(text).toContain(part);
  });

  test.each<[string, Partial<DoctorParts>, 'error' | 'warning', RegExp]>([
    ['old Node', { nodeVersion: '20.10.0' }, 'error', /Node 20\.10\.0 is too old.*Install Node 20\.12/],
    [
      'no onnxruntime',
      { providers: () => Promise.reject(new Error('Cannot find package\nat x')) },
      'error',
      /onnxruntime does not load \(Cannot find package\).*Install nomoat again/,
    ],
    [
      'no llama.cpp',
      { startLlamaCpp: () => Promise.reject(new Error('NoBinaryFoundError')) },
      'error',
      /llama\.cpp does not load \(NoBinaryFoundError\).*npm install @node-llama-cpp\/\S+@1\.2\.3/,
    ],
    ['no AVX2', machine({ instructionSets: ['avx'] }), 'warning', /no AVX2/],
    ['little memory', machine({ memoryAvailableBytes: 1e9 }), 'warning', /only 1\.0 GB of memory.*`microBatchSize: 1`/],
    ['a small container', machine({ processorLimit: 0.5 }), 'warning', /only 0\.5 of a processor/],
    ['a busy machine', machine({ load: 7.9 }), 'warning', /keep 7\.9 of 8 cores busy.*`threads`/],
  ])('%s', async (_, parts, severity, words) => {
    const report = await examine(parts);
    const found = report.findings.map(({ severity, fault, remedy }) => `${severity}: ${fault}. ${remedy}`);
    expect(found.filter((line) => words.test(line))).toHaveLength(1);
    expect(found.find((line) => words.test(line))?.startsWith(severity)).toBe(true);
    expect(renderDoctor(report)).toMatch(new RegExp(`^${severity}: `, 'm'));
  });

  test('llama.cpp for graphics cards: the command where it is missing, in the version of node-llama-cpp', async () => {
    const hasVulkan = (name: string): string | null => (name.includes('-cuda') ? null : '1.2.3');
    const report = await examine({ packageVersion: hasVulkan });
    const cuda = 'npm install @node-llama-cpp/linux-x64-cuda@1.2.3 @node-llama-cpp/linux-x64-cuda-ext@1.2.3';
    expect(report.gpuBuilds).toEqual([
      { name: 'Vulkan', command: null },
      { name: 'CUDA', command: cuda },
    ]);
    expect(report.findings.filter((found) => !/free for/.test(found.fault))).toEqual([]);
    expect(renderDoctor(report)).toMatch(
      /^with Vulkan +installed;.*\nwith CUDA +not installed, .*: npm install @node/m,
    );
    expect((await examine(machine({ platform: 'darwin', architecture: 'arm64' }))).gpuBuilds).toEqual([]);
  });

  test('no model and a broken one', async () => {
    writeFileSync(join(home, '.lmstudio', 'models', 'a', 'b', 'tiny.gguf'), 'something else');
    const faults = (await examine()).findings.map((found) => `${found.fault} ${found.remedy}`).join('\n');
    expect(faults).toMatch(/no model is on this machine Fetch one: `pullModel\('smollm2-135m'\)`/);
    expect(faults).toMatch(/tiny\.gguf: is not a GGUF file/);
  });

  test('Intel Macs are told that training has no build for them', async () => {
    const parts = { ...machine({ platform: 'darwin' }), providers: () => Promise.reject(new Error('no binary')) };
    expect((await examine(parts)).findings[0]?.remedy).toMatch(/Intel Macs/);
  });

  test('which engine trains, and why', async () => {
    expect(renderDoctor(await examine())).toMatch(
      /kernels +avx512-vnni, self-test passed; they train adapters on a base in int8/,
    );
    const parts = { loadKernels: () => Promise.reject(new Error('this processor lacks avx512_vnni')) };
    const report = await examine(parts);
    expect(renderDoctor(report)).toMatch(/kernels +none, onnxruntime trains: this processor lacks avx512_vnni/);
    expect(report.findings.filter(({ fault }) => /kernel/.test(fault))).toEqual([]);
  });

  test('the real parts answer on this machine, whatever is missing here', async () => {
    const report = await doctor({ runsFolder: home });
    expect(report.versions.node).toBe(process.versions.node);
    expect(report.versions.nomoat).toMatch(/^\d+\.\d+\.\d+/);
    expect(report.versions['onnxruntime-node']).toMatch(/^\d+\.\d+\.\d+/);
    expect(report.onnxruntime.detail).not.toBe('');
    expect(report.llamaCpp.detail).not.toBe('');
    if (report.onnxruntime.works) expect(report.providers.map(({ name }) => name)).toContain('cpu');
    expect(renderDoctor(report).split('\n').length).toBeGreaterThan(10);
  });
});
