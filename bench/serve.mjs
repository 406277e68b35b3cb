/**
 * What `nomoat serve` costs and gives, each thing beside what it is held against, in turn and in one run: medians of rounds.
 * - single: one client's stream over HTTP, against node-llama-cpp called directly: tokens/s and time to the first token
 * - clients: 16 at once with 64-token answers, against one client that asks for all of them in sequence; and against llama.cpp's own server, where --llama-server says where it is
 * - adapters: 32 requests to 8 adapters in turn, against 32 to the base; and the same with all 8 asked at once; memory of each adapter
 * - start: until a server with 200 runs and 20 models answers
 * - body: how long others wait while a conversation of 4 MB is refused
 * Usage: node bench/serve.mjs [--model NAME|FILE.gguf] [--rounds N] [--tokens N] [--threads N] [--llama-server PROGRAM] [single] [clients] [adapters] [start] [body]   (after npm run build)
 */
import { spawn } from 'node:child_process';
import { cpSync, linkSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { getLlama } from 'node-llama-cpp';
import { writeGgufLora } from '../dist/adapter/gguf-lora.js';
import { openGguf } from '../dist/formats/gguf/read.js';
import { resolveModel } from '../dist/index.js';
import { resolveSampling } from '../dist/chat/sampling.js';
import { fasterThreads } from '../dist/llama/faster-threads.js';
import { samplerOptions } from '../dist/llama/sampler.js';
import { readModelConfig } from '../dist/models/config.js';
import { freshAdapter } from './fresh-adapter.mjs';

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: { model: { type: 'string', default: 'nomoat-mini' }, rounds: { type: 'string', default: '3' }, tokens: { type: 'string', default: '64' }, clients: { type: 'string', default: '16' }, requests: { type: 'string', default: '32' }, runs: { type: 'string', default: '200' }, threads: { type: 'string' }, 'llama-server': { type: 'string' } },
});
const [rounds, tokens, clients, requests, runs] = ['rounds', 'tokens', 'clients', 'requests', 'runs'].map((name) => Number(values[name]));
const asked = positionals.length > 0 ? positionals : ['single', 'clients', 'adapters', 'start', 'body'];
const { path: modelPath } = await resolveModel(values.model);
const folder = mkdtempSync(join(tmpdir(), 'nomoat-bench-serve-'));
const models = join(folder, 'models');
mkdirSync(models);
const cli = resolve(import.meta.dirname, '../dist/cli/main.js');

/** llama-server takes no port 0; one that is rarely used. */
const llamaServerPort = 18437;

const median = (numbers) => [...numbers].sort((a, b) => a - b)[Math.floor(numbers.length / 2)];
const rounded = (value, digits = 1) => Number(value.toFixed(digits));
const print = (section, figures) => console.log(JSON.stringify({ section, ...figures }));

/** A program that serves, in a process of its own; resolves when its standard output or error says at which address, as `address` finds it. */
async function startProgram(program, args, address) {
  const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'] });
  const url = await new Promise((found, failed) => {
    let said = '';
    for (const stream of [child.stdout, child.stderr])
      stream.on('data', (piece) => {
        said += piece;
        const at = address.exec(said);
        if (at) found(at[0]);
      });
    child.once('error', failed).once('exit', (code) => failed(new Error(`${program} ended with ${code}: ${said}`)));
  });
  const post = (path, body) => fetch(`${url}/v1/${path}`, { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(body) });
  const stop = () => new Promise((ended) => child.removeAllListeners('exit').once('exit', ended) && child.kill());
  return { url, post, stop };
}

const startServer = (options = [], home = models) =>
  startProgram(process.execPath, [cli, 'serve', '--port', '0', '--quiet', '--models', home, '--runs', join(folder, 'runs'), ...options], /http:\S+(?=\/v1)/);

/** llama.cpp's own server with a sequence for each client and as much context for each as ours has. */
const startLlamaServer = () => startProgram(values['llama-server'], ['-m', modelPath, '-a', 'base', '-np', String(clients), '-c', String(clients * contextSize), '-t', String(threads), '--port', String(llamaServerPort), '--no-webui'], /http:\/\/127\.0\.0\.1:\d+/);

/** One streamed answer: its tokens, seconds until the first, and until the last. */
async function streamed(server, body) {
  const began = performance.now();
  const answer = await server.post('completions', { temperature: 0, stream: true, stream_options: { include_usage: true }, ...body });
  if (!answer.ok) throw new Error(await answer.text());
  let [first, text] = [null, ''];
  const decoder = new TextDecoder();
  for await (const piece of answer.body) {
    first ??= performance.now();
    text += decoder.decode(piece, { stream: true });
  }
  const events = text.split('\n\n').filter((line) => line.startsWith('data: {')).map((line) => JSON.parse(line.slice(6)));
  const { completion_tokens: count } = events.at(-1).usage;
  const ended = performance.now();
  return { count, firstSeconds: (first - began) / 1000, seconds: (ended - began) / 1000, streamSeconds: (ended - first) / 1000 };
}

/** No token that ends an answer is drawn: all answers have as many tokens as are asked for. */
async function endless(model) {
  const bias = {};
  for (let id = 0; id < model.fileInfo.metadata.tokenizer.ggml.tokens.length; id++) if (model.isEogToken(id)) bias[id] = -100;
  return bias;
}

const llama = await getLlama({ build: 'never', skipDownload: true, maxThreads: 0, gpu: false, logLevel: 'error' });
const model = await llama.loadModel({ modelPath, gpuLayers: 0 });
const contextSize = Math.min(1024, model.trainContextSize);
const cores = Math.max(1, Math.floor(availableParallelism()));
/** As the server does; where other programs run, threads that wait for each other make either side many times slower, so give 1 there. */
const threads = values.threads ? Number(values.threads) : model.size < 32e6 ? 1 : cores;
const logit_bias = await endless(model);
linkOrCopy(modelPath, join(models, 'base.gguf'));
const prompt = 'Once upon a time there was a king who had three daughters and a large castle near the sea';
const words = prompt.split(' ');
/** Prompts of one length whose beginnings differ. */
const promptOf = (i) => [...words.slice(i % words.length), ...words.slice(0, i % words.length)].join(' ');

function linkOrCopy(from, to) {
  try {
    linkSync(from, to);
  } catch {
    cpSync(from, to);
  }
}

async function single() {
  const server = await startServer(['--context-size', String(contextSize), '--threads', String(threads)]);
  // Called directly as well as it can be: the threads that are fastest, and the same tokens kept out.
  const context = await model.createContext({ contextSize, threads: await fasterThreads(model, modelPath, threads) });
  const sequence = context.getSequence();
  const drawing = await samplerOptions(model, { sampling: resolveSampling({ temperature: 0 }), options: { logitBias: logit_bias }, vocabularySize: model.fileInfo.metadata.tokenizer.ggml.tokens.length, answer: [], most: contextSize });
  const direct = async (text, count) => {
    const began = performance.now();
    const all = model.tokenize(text, true);
    await sequence.clearHistory();
    let [first, made, said] = [null, 0, ''];
    for await (const token of sequence.evaluate(all, drawing)) {
      first ??= performance.now();
      said += model.detokenize([token]);
      if (++made === count) break;
    }
    const ended = performance.now();
    return { count: made, firstSeconds: (first - began) / 1000, streamSeconds: (ended - first) / 1000, seconds: (ended - began) / 1000 };
  };
  const count = Math.min(4 * tokens, contextSize - 64);
  const http = (text, n) => streamed(server, { model: 'base', prompt: text, max_tokens: n, logit_bias });
  await http(prompt, 8);
  await direct(prompt, 8);
  const ratios = [];
  const seen = { direct: [], http: [] };
  for (let round = 0; round < rounds; round++) {
    for (const [name, ask] of round % 2 ? [['http', http], ['direct', direct]] : [['direct', direct], ['http', http]]) seen[name].push(await ask(promptOf(round), count));
    const pace = ({ count: made, streamSeconds }) => (made - 1) / streamSeconds;
    ratios.push(pace(seen.http[round]) / pace(seen.direct[round]));
  }
  const best = (name) => Math.max(...seen[name].map(({ count: made, streamSeconds }) => (made - 1) / streamSeconds));
  const of = (name) => ({ tokensPerSecond: rounded(median(seen[name].map(({ count: made, streamSeconds }) => (made - 1) / streamSeconds))), bestTokensPerSecond: rounded(best(name)), firstTokenMs: rounded(median(seen[name].map(({ firstSeconds }) => 1000 * firstSeconds))) });
  print('single', { model: values.model, tokens: count, http: of('http'), direct: of('direct'), ratio: rounded(median(ratios), 3), bestRatio: rounded(best('http') / best('direct'), 3), asked: 0.95 });
  await context.dispose();
  await server.stop();
}

/** Between two that are measured in turns. */
const restMilliseconds = 500;

async function manyClients() {
  const server = await startServer(['--context-size', String(contextSize), '--threads', String(threads)]);
  const peer = values['llama-server'] ? await startLlamaServer() : null;
  const asker = (of) => (i) => streamed(of, { model: 'base', prompt: promptOf(i), max_tokens: tokens, logit_bias });
  const all = (from) => Array.from({ length: clients }, (_, i) => from + i);
  const firsts = { together: [], llamaServer: [] };
  const atOnce = (name, of) => async (round) => {
    firsts[name].push(...(await Promise.all(all(round).map(asker(of)))).map(({ firstSeconds }) => 1000 * firstSeconds));
  };
  const work = {
    sequential: async (round) => {
      for (const i of all(round)) await asker(server)(i);
    },
    together: atOnce('together', server),
    ...(peer && { llamaServer: atOnce('llamaServer', peer) }),
  };
  const names = Object.keys(work);
  for (const name of names.slice(1)) await work[name](0);
  for (const of of Object.values(firsts)) of.length = 0;
  const seen = Object.fromEntries(names.map((name) => [name, []]));
  for (let round = 1; round <= rounds; round++)
    for (const name of round % 2 ? names : [...names].reverse()) {
      // Threads of the one before look out for more work for a while, and whoever comes then leaves them their cores.
      await pause(restMilliseconds);
      const began = performance.now();
      await work[name](round);
      seen[name].push((clients * tokens * 1000) / (performance.now() - began));
    }
  const ratio = (against) => rounded(median(seen.together.map((rate, i) => rate / seen[against][i])), 2);
  const firstMs = (name) => ({ median: rounded(median(firsts[name])), most: rounded(Math.max(...firsts[name])) });
  print('clients', {
    ...{ model: values.model, clients, tokens, sequentialTokensPerSecond: rounded(median(seen.sequential)), togetherTokensPerSecond: rounded(median(seen.together)), firstTokenMs: firstMs('together'), ratio: ratio('sequential'), asked: 2 },
    ...(peer && { llamaServer: { tokensPerSecond: rounded(median(seen.llamaServer)), firstTokenMs: firstMs('llamaServer'), ratio: ratio('llamaServer'), asked: 0.9 } }),
  });
  await peer?.stop();
  await server.stop();
}

/** Adapters of rank 8 on all projections, with values that do something. */
function makeAdapters(count) {
  const gguf = openGguf(modelPath);
  const adapter = freshAdapter(readModelConfig(gguf), 8);
  const names = Array.from({ length: count }, (_, i) => `adapter-${i}`);
  for (const name of names) writeGgufLora(join(models, `${name}.gguf`), adapter, gguf);
  gguf.close();
  return names;
}

async function adapters() {
  const names = makeAdapters(8);
  const server = await startServer(['--context-size', String(contextSize), '--threads', String(threads)]);
  for (const name of names) {
    const answer = await server.post('load_lora_adapter', { lora_name: name, lora_path: `${name}.gguf`, base_model_name: 'base' });
    if (!answer.ok) throw new Error(await answer.text());
  }
  const ask = (name, i) => streamed(server, { model: name, prompt: promptOf(i), max_tokens: tokens, logit_bias });
  for (const name of ['base', ...names]) await ask(name, 0);
  const metrics = await (await fetch(`${server.url}/metrics`)).text();
  const bytes = [...metrics.matchAll(/^nomoat_context_bytes\{.*adapters="(\d)"\} (\d+)$/gm)].map(([, has, size]) => ({ has, size: Number(size) }));
  const seen = { base: [], turns: [], atOnce: [] };
  const work = {
    base: async () => {
      for (let i = 0; i < requests; i++) await ask('base', i);
    },
    turns: async () => {
      for (let i = 0; i < requests; i++) await ask(names[i % names.length], i);
    },
    atOnce: () => Promise.all(names.map(async (name, n) => {
      for (let i = n; i < requests; i += names.length) await ask(name, i);
    })),
  };
  for (let round = 0; round < rounds; round++)
    for (const name of round % 2 ? ['turns', 'base', 'atOnce'] : ['base', 'turns', 'atOnce']) {
      const began = performance.now();
      await work[name]();
      seen[name].push((requests * tokens * 1000) / (performance.now() - began));
    }
  const ratio = (name) => rounded(median(seen[name].map((rate, i) => rate / seen.base[i])), 2);
  const slower = [...(await (await fetch(`${server.url}/metrics`)).text()).matchAll(/^nomoat_adapter_slowdown\{.*\} (\S+)$/gm)].map(([, value]) => Number(value));
  print('adapters', { model: values.model, requests, tokens, baseTokensPerSecond: rounded(median(seen.base)), inTurnTokensPerSecond: rounded(median(seen.turns)), ratio: ratio('turns'), asked: 0.7, atOnceTokensPerSecond: rounded(median(seen.atOnce)), atOnceRatio: ratio('atOnce'), contextBytesPerAdapter: median(bytes.filter(({ has }) => has === '1').map(({ size }) => size)), slowdownByMetrics: slower.length > 0 ? rounded(median(slower), 2) : null });
  await server.stop();
}

/** A finished run as far as the list of models reads it. */
function makeRuns(count) {
  const inside = join(folder, 'runs');
  const template = JSON.parse(readFileSync(resolve(import.meta.dirname, '../test/fixtures/runs-of-0.1/tune/run.json'), 'utf8'));
  for (let i = 0; i < count; i++) {
    const path = join(inside, `run-${i}`);
    mkdirSync(path, { recursive: true });
    writeFileSync(join(path, 'run.json'), JSON.stringify({ ...template, state: 'done', created: new Date(Date.now() - i * 60_000).toISOString() }));
  }
}

async function start() {
  makeRuns(runs);
  const home = join(folder, 'many');
  mkdirSync(home);
  for (let i = 0; i < 20; i++) linkOrCopy(modelPath, join(home, `model-${i}.gguf`));
  const seconds = [];
  let listed = 0;
  for (let round = 0; round < rounds; round++) {
    const began = performance.now();
    const server = await startServer([], home);
    await fetch(`${server.url}/readyz`);
    seconds.push((performance.now() - began) / 1000);
    listed = (await (await fetch(`${server.url}/v1/models`)).json()).data.length;
    await server.stop();
  }
  print('start', { runs, models: 20, listed, readySeconds: rounded(median(seconds), 2), asked: 2 });
}

async function body() {
  const server = await startServer(['--context-size', String(contextSize), '--threads', String(threads)]);
  const content = 'What a long story this is, and it goes on and on. '.repeat(80_000).slice(0, 3.9e6);
  await streamed(server, { model: 'base', prompt, max_tokens: 2 });
  const waits = [];
  const took = [];
  for (let round = 0; round < rounds; round++) {
    let done = false;
    const began = performance.now();
    const refused = server.post('chat/completions', { model: 'base', messages: [{ role: 'user', content }] }).then(async (answer) => {
      done = true;
      took.push(performance.now() - began);
      return answer.json();
    });
    while (!done) {
      const asked = performance.now();
      await fetch(`${server.url}/healthz`);
      waits.push(performance.now() - asked);
      await pause(5);
    }
    const { error } = await refused;
    if (error?.code !== 'context_length_exceeded') throw new Error(JSON.stringify(error));
  }
  print('body', { model: values.model, bytes: content.length, refusedAfterMs: rounded(median(took)), longestWaitOfOthersMs: rounded(Math.max(...waits)) });
  await server.stop();
}

const sections = { single, clients: manyClients, adapters, start, body };
try {
  for (const name of asked) await sections[name]();
} finally {
  await model.dispose();
  rmSync(folder, { recursive: true, force: true });
}
