/**
 * A look into a whole model: what it is, and beside its base what tuning changed, tensor by tensor. Promises: only reads; a tensor is in memory
 * at a time; what no adapter could have changed (embeddings, norms, vocabulary, template) is looked at too.
 */
import { basename } from 'node:path';
import type { NamedDigest } from '../adapter/lineage.ts';
import { sumOfSquares } from '../adapter/low-rank.ts';
import { openGguf } from '../formats/gguf/read.ts';
import type { GgufFile } from '../formats/gguf/types.ts';
import { intrudersBetween } from '../inspect/intruders.ts';
import { changedMetadata, type ModelFacts, modelFacts } from '../inspect/model-facts.ts';
import type { BaseComparison, WeightChange, WeightReport } from '../inspect/model-report.ts';
import { modelSentences } from '../inspect/model-sentences.ts';
import { NumberTally, RowTally, spreadOf } from '../inspect/weight-figures.ts';
import type { LinearOperator, Shape } from '../linear-algebra/operator.ts';
import { modelNotes } from '../models/model-notes.ts';
import type { WeightProducts } from '../runtime/onnxruntime-node/weight-products.ts';
import { heedStop, stoppable } from '../stop.ts';
import { digestOf } from '../store/file-digest.ts';
import { type InspectOptions, openProducts } from './inspect.ts';
import { findModelTarget } from './inspect-model-target.ts';

/** What is looked at, and how closely. */
export interface InspectModelOptions extends Pick<InspectOptions, 'intruders' | 'onProgress' | 'signal'> {
  /** A model by name, a GGUF file, or a run that trained every weight. */
  readonly model: string;
  /** What it was tuned or merged from; default: of a run the model that it began with, else none: then it is looked at alone. */
  readonly base?: string | null;
}

/** What was found. */
export interface ModelInspection {
  readonly model: string;
  readonly file: NamedDigest & { readonly bytes: number };
  readonly facts: ModelFacts;
  /** One for each tensor, in the file's order. */
  readonly weights: readonly WeightReport[];
  /** Null of a model that is looked at alone. */
  readonly base: BaseComparison | null;
  /** What should be known of it, in sentences. */
  readonly notes: readonly string[];
}

/** Numbers that are read at once of what no singular values are wanted of: 16 MiB of float32. */
const chunkNumbers = 1 << 22;

const layerOf = (tensor: string): number | null => {
  const layer = /^blk\.(\d+)\./.exec(tensor)?.[1];
  return layer === undefined ? null : Number(layer);
};

/** A matrix of the blocks, whose directions are looked at; embeddings and heads are too long for it. */
const hasSpread = ({ name, shape }: { name: string; shape: readonly number[] }): boolean =>
  layerOf(name) !== null && shape.length === 2;

const shapeOf = ([rows, columns]: readonly number[]): Shape => ({ rows: rows!, columns: columns! });

/** A tensor of a file; `whole` where it was read already. */
interface Tensor {
  readonly file: GgufFile;
  readonly name: string;
  readonly whole: Float32Array | null;
}

interface Rows {
  readonly firstRow: number;
  readonly rows: number;
}

function rowsOf({ file, name, whole }: Tensor, { firstRow, rows }: Rows): Float32Array {
  const width = file.tensors.get(name)!.shape.at(-1)!;
  return whole?.subarray(firstRow * width, (firstRow + rows) * width) ?? file.readFloat32(name, { firstRow, rows });
}

/** The tensor's numbers in pieces of whole rows. */
function* piecesOf(tensor: Tensor): Generator<Rows & { readonly values: Float32Array }> {
  const { shape } = tensor.file.tensors.get(tensor.name)!;
  const all = shape.slice(0, -1).reduce((product, length) => product * length, 1);
  const step = Math.max(1, Math.floor(chunkNumbers / shape.at(-1)!));
  for (let firstRow = 0; firstRow < all; firstRow += step) {
    const place = { firstRow, rows: Math.min(step, all - firstRow) };
    yield { ...place, values: rowsOf(tensor, place) };
  }
}

interface Look {
  readonly model: GgufFile;
  readonly base: GgufFile | null;
  readonly products: WeightProducts;
  readonly intruders: boolean;
  readonly signal: AbortSignal | undefined;
}

/** A matrix whose directions are looked at, read once. */
interface Matrix {
  readonly values: Float32Array;
  readonly operator: LinearOperator;
}

/** The tensor by itself; null `matrix`: its directions are not looked at. */
async function weightReport(name: string, matrix: Matrix | null, { model, signal }: Look): Promise<WeightReport> {
  const { shape, type } = model.tensors.get(name)!;
  const tally = new NumberTally();
  const rows = name === 'token_embd.weight' ? new RowTally(shape.at(-1)!) : null;
  for (const { values } of piecesOf({ file: model, name, whole: matrix?.values ?? null })) {
    tally.add(values);
    rows?.add(values);
  }
  const { notFinite, numbers, squares, zeros } = tally;
  return {
    tensor: name,
    layer: layerOf(name),
    shape,
    type,
    norm: Math.sqrt(squares),
    rms: Math.sqrt(squares / numbers),
    notFinite,
    zeros,
    equalRows: rows?.equal ?? 0,
    // The singular values of NaN are none.
    spread: matrix === null || notFinite > 0 ? null : (await spreadOf(matrix.operator, squares, signal)).figures,
  };
}

/** Squared Frobenius norms of the change and of the base's tensor, in pieces. */
function changeSquares(tuned: Tensor, base: Tensor): { change: number; weight: number } {
  let [change, weight] = [0, 0];
  for (const { values, ...place } of piecesOf(tuned)) {
    const before = rowsOf(base, place);
    weight += sumOfSquares(before);
    for (let i = 0; i < values.length; i++) change += (values[i]! - before[i]!) ** 2;
  }
  return { change, weight };
}

/** What differs; null where nothing does. */
async function weightChange(name: string, tuned: Matrix | null, look: Look): Promise<WeightChange | null> {
  const { base, intruders, model, products, signal } = look;
  const before = tuned && base!.readFloat32(name);
  const { change, weight } = changeSquares(
    { file: model, name, whole: tuned?.values ?? null },
    { file: base!, name, whole: before },
  );
  if (change === 0) return null;
  const norm = Math.sqrt(change);
  const figures = { tensor: name, layer: layerOf(name), norm, relative: weight === 0 ? 0 : norm / Math.sqrt(weight) };
  if (tuned === null || before === null || !Number.isFinite(change))
    return { ...figures, spread: null, intruders: null };
  const shape = shapeOf(model.tensors.get(name)!.shape);
  const difference = tuned.values.map((value, i) => value - before[i]!);
  const spread = await spreadOf(products.operator(shape, difference), change, signal);
  if (!intruders) return { ...figures, spread: spread.figures, intruders: null };
  const found = await intrudersBetween(
    products.operator(shape, before),
    { tuned: tuned.operator, change: spread.svd },
    signal,
  );
  const { side: _, vectors: __, ...report } = found;
  return { ...figures, spread: spread.figures, intruders: report };
}

const sameShape = (name: string, model: GgufFile, base: GgufFile): boolean =>
  base.tensors.get(name)?.shape.join() === model.tensors.get(name)!.shape.join();

/** Every tensor by itself and beside the base's, one after the other. */
async function looked(look: Look, onProgress: InspectModelOptions['onProgress']) {
  const { base, model, products, signal } = look;
  const [weights, changes]: [WeightReport[], WeightChange[]] = [[], []];
  for (const tensor of model.tensors.values()) {
    const { name, shape } = tensor;
    onProgress?.({ done: weights.length, total: model.tensors.size, doing: name });
    if (signal) await heedStop(signal);
    const values = hasSpread(tensor) ? model.readFloat32(name) : null;
    const matrix = values && { values, operator: products.operator(shapeOf(shape), values) };
    weights.push(await weightReport(name, matrix, look));
    const change = base && sameShape(name, model, base) ? await weightChange(name, matrix, look) : null;
    if (change) changes.push(change);
  }
  return { weights, changes };
}

/** What two files have and do not have in common, their numbers apart. */
function compareFiles(model: GgufFile, base: GgufFile) {
  const names = [...model.tensors.keys()];
  const shared = names.filter((name) => base.tensors.has(name));
  const alike = shared.filter((name) => sameShape(name, model, base));
  return {
    alike: alike.length,
    onlyHere: names.filter((name) => !base.tensors.has(name)),
    onlyInBase: [...base.tensors.keys()].filter((name) => !model.tensors.has(name)),
    otherShape: shared.filter((name) => !sameShape(name, model, base)),
    otherType: alike.filter((name) => base.tensors.get(name)!.type !== model.tensors.get(name)!.type).length,
    metadata: changedMetadata(model, base),
  };
}

const digested = async (path: string): Promise<NamedDigest> => ({ file: basename(path), sha256: await digestOf(path) });

/** Layers in order, what is outside of them last. */
const byLayer = (first: WeightChange, second: WeightChange): number =>
  (first.layer ?? Number.POSITIVE_INFINITY) - (second.layer ?? Number.POSITIVE_INFINITY) || 0;

/** Looks into a model, beside its base where one is known. Rejects with NomoatError. */
export function inspectModel(options: InspectModelOptions): Promise<ModelInspection> {
  const { intruders = true, onProgress, signal } = options;
  return stoppable(options.model, signal, async () => {
    const { basePath, notes, path } = await findModelTarget(options.model, options.base ?? null);
    const model = openGguf(path);
    let base: GgufFile | null = null;
    const products = await openProducts();
    try {
      base = basePath === null ? null : openGguf(basePath);
      const look = { model, base, products, intruders, signal };
      const { changes, weights } = await looked(look, onProgress);
      const compared = base && compareFiles(model, base);
      const comparison = compared && {
        ...compared,
        file: await digested(basePath!),
        changes: changes.sort(byLayer),
        unchanged: compared.alike - changes.length,
      };
      const sentences = [...notes, ...modelNotes(model), ...modelSentences(weights, comparison)];
      return {
        model: options.model,
        file: { ...(await digested(path)), bytes: model.byteLength },
        facts: modelFacts(model),
        weights,
        base: comparison,
        notes: sentences,
      };
    } finally {
      await products.close();
      model.close();
      base?.close();
    }
  });
}
