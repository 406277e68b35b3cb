/**
 * A bundle as an OCI image layout, which `oras`, `kit`, `skopeo` and registries' clients push without a network in between: each file is a
 * blob, uncompressed. The manifest is that of CNCF ModelPack, and ORAS reads the names of the files. Promises: digests and sizes are those of
 * the blobs, or reading refuses. Formats: https://github.com/opencontainers/image-spec/blob/v1.1.0/image-layout.md,
 * https://github.com/modelpack/model-spec/blob/main/docs/spec.md
 */
import { createHash } from 'node:crypto';
import { copyFileSync, existsSync, mkdirSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { NomoatError } from '../errors.ts';
import { readBoundedJson } from '../formats/bounded-json.ts';
import { sha256OfFile } from '../store/file-digest.ts';

export const ociTypes = {
  index: 'application/vnd.oci.image.index.v1+json',
  manifest: 'application/vnd.oci.image.manifest.v1+json',
  artifact: 'application/vnd.cncf.model.manifest.v1+json',
  config: 'application/vnd.cncf.model.config.v1+json',
  weights: 'application/vnd.cncf.model.weight.v1.raw',
  weightsConfig: 'application/vnd.cncf.model.weight.config.v1.raw',
  doc: 'application/vnd.cncf.model.doc.v1.raw',
} as const;
const titleKey = 'org.opencontainers.image.title';
const pathKey = 'org.cncf.model.filepath';
/** Registries refuse manifests above this. */
const mostManifestBytes = 4 << 20;

const typeOf = (name: string): string =>
  /\.(safetensors|gguf)$/.test(name)
    ? ociTypes.weights
    : /^(README|LICENSE)/.test(name)
      ? ociTypes.doc
      : ociTypes.weightsConfig;

interface Descriptor {
  readonly mediaType: string;
  readonly digest: string;
  readonly size: number;
}

/** What ModelPack's configuration says of the model. */
export interface OciModel {
  readonly name: string;
  readonly created: string | null;
  readonly license: string;
  readonly architecture: string;
}

/** Writes the files as a layout into `folder`, which is there and empty. */
export function writeOciLayout(folder: string, files: ReadonlyMap<string, string>, model: OciModel): void {
  const blobs = join(folder, 'blobs/sha256');
  mkdirSync(blobs, { recursive: true });
  const put = (mediaType: string, bytes: string): Descriptor => {
    const hash = createHash('sha256').update(bytes).digest('hex');
    writeFileSync(join(blobs, hash), bytes);
    return { mediaType, digest: `sha256:${hash}`, size: Buffer.byteLength(bytes) };
  };
  const names = [...files.keys()].sort();
  const layers = names.map((name) => {
    const path = files.get(name)!;
    const hash = sha256OfFile(path);
    copyFileSync(path, join(blobs, hash));
    return {
      mediaType: typeOf(name),
      digest: `sha256:${hash}`,
      size: statSync(path).size,
      annotations: { [titleKey]: name, [pathKey]: name },
    };
  });
  const { architecture, created, license, name } = model;
  const config = put(ociTypes.config, JSON.stringify({
    descriptor: { ...(created ? { createdAt: created } : {}), name, family: architecture, licenses: [license] },
    config: { architecture: 'transformer', format: 'safetensors', precision: 'float32' },
    modelfs: { type: 'layers', diffIds: layers.map(({ digest }) => digest) },
  })); // biome-ignore format: an object
  const annotations = { [titleKey]: name, 'org.opencontainers.image.licenses': license };
  const manifest = put(
    ociTypes.manifest,
    JSON.stringify({
      schemaVersion: 2,
      mediaType: ociTypes.manifest,
      artifactType: ociTypes.artifact,
      config,
      layers,
      annotations,
    }),
  );
  writeFileSync(join(folder, 'oci-layout'), JSON.stringify({ imageLayoutVersion: '1.0.0' }));
  const listed = {
    ...manifest,
    artifactType: ociTypes.artifact,
    annotations: { 'org.opencontainers.image.ref.name': 'latest' },
  };
  writeFileSync(
    join(folder, 'index.json'),
    JSON.stringify({ schemaVersion: 2, mediaType: ociTypes.index, manifests: [listed] }),
  );
}

export const isOciLayout = (folder: string): boolean => existsSync(join(folder, 'oci-layout'));

const descriptor = z.looseObject({
  mediaType: z.string(),
  digest: z.string().regex(/^sha256:[0-9a-f]{64}$/),
  size: z.int().nonnegative(),
  annotations: z.record(z.string(), z.string()).optional(),
});
const indexSchema = z.looseObject({ schemaVersion: z.literal(2), manifests: z.array(descriptor).length(1) });
const manifestSchema = z.looseObject({
  schemaVersion: z.literal(2),
  mediaType: z.literal(ociTypes.manifest),
  config: descriptor,
  layers: z.array(descriptor),
});

const refuse = (folder: string, fault: string): NomoatError =>
  new NomoatError({
    code: 'bundle-refused',
    part: folder,
    fault,
    remedy: 'Do not use it: take the layout again from where it came.',
  });

/** Where the blob of a descriptor lies. Throws NomoatError where it is another than its digest says. */
function blobOf(folder: string, { digest, size }: Descriptor): string {
  const path = join(folder, 'blobs/sha256', digest.slice('sha256:'.length));
  const found = statSync(path, { throwIfNoEntry: false });
  if (!found?.isFile()) throw refuse(folder, `has no blob ${digest}`);
  if (found.size !== size || `sha256:${sha256OfFile(path)}` !== digest)
    throw refuse(folder, `the blob ${digest} was changed`);
  return path;
}

/** The files of the layout: each one's blob by its name. Throws NomoatError where a blob is missing or another. */
export function ociFiles(folder: string): Map<string, string> {
  const remedy = 'Give an OCI image layout with one model.';
  const read = <Output>(path: string, schema: z.ZodType<Output>): Output => {
    const { data } = schema.safeParse(readBoundedJson(path, mostManifestBytes, { code: 'bundle-refused', remedy }));
    if (data === undefined) throw refuse(folder, `${path} is no index or manifest of one model`);
    return data;
  };
  const [listed] = read(join(folder, 'index.json'), indexSchema).manifests;
  const { config, layers } = read(blobOf(folder, listed!), manifestSchema);
  blobOf(folder, config);
  const files = new Map<string, string>();
  for (const layer of layers) {
    const name = layer.annotations?.[titleKey];
    if (name === undefined || files.has(name))
      throw refuse(folder, `has a layer without a name of its own: ${layer.digest}`);
    files.set(name, blobOf(folder, layer));
  }
  const named = new Set([listed!, config, ...layers].map(({ digest }) => digest));
  const added = readdirSync(join(folder, 'blobs/sha256')).find((name) => !named.has(`sha256:${name}`));
  if (added !== undefined) throw refuse(folder, `has a blob that nothing names: ${added}`);
  return files;
}
