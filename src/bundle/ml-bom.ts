/**
 * What an adapter is made of as a CycloneDX 1.6 bill of materials (ML-BOM): the adapter with its model card, base, parents and data as
 * components, each by its digest. Promises: the same adapter gives the same text. Pure. Format: https://cyclonedx.org/docs/1.6/json/
 */
import { createHash } from 'node:crypto';
import type { LineageEntry } from '../adapter/lineage.ts';

/** What the bill says beyond the lineage. */
export interface BomFacts {
  readonly entries: readonly LineageEntry[];
  readonly license: string;
  readonly architecture: string;
  /** Scores of an evaluation. */
  readonly metrics: readonly {
    readonly name: string;
    readonly score: number;
    readonly interval: readonly [number, number];
  }[];
  /** nomoat's version. */
  readonly version: string;
}

const hashes = (sha256: string) => [{ alg: 'SHA-256', content: sha256 }];

/** A UUID that the bill's own subject decides, so that packing twice gives the same bill. */
function serialNumber(id: string): string {
  const hex = createHash('sha256').update(`nomoat bom ${id}`).digest('hex');
  return `urn:uuid:${hex.slice(0, 8)}-${hex.slice(8, 12)}-5${hex.slice(13, 16)}-a${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
}

/** SPDX ids are spelled so; the hub writes them in lower case. */
const licenses = (license: string) => [{ license: { name: license } }];

function modelCard({ architecture, entries, metrics }: BomFacts) {
  const [{ data, verdict }] = entries as [LineageEntry];
  const losses =
    verdict === null || verdict.after === null
      ? []
      : [{ type: 'held-out loss, nats per supervised token', value: String(verdict.after) }];
  const scores = metrics.map(({ interval: [lowerBound, upperBound], name, score }) => ({
    type: name,
    value: String(score),
    confidenceInterval: { lowerBound: String(lowerBound), upperBound: String(upperBound) },
  }));
  return {
    modelParameters: {
      approach: { type: 'supervised' },
      task: 'text-generation',
      architectureFamily: 'transformer',
      modelArchitecture: `${architecture}, LoRA`,
      datasets: data.map(({ file, sha256 }) => ({ ref: `data:${sha256}:${file}` })),
      inputs: [{ format: 'text' }],
      outputs: [{ format: 'text' }],
    },
    ...(losses.length + scores.length > 0
      ? { quantitativeAnalysis: { performanceMetrics: [...losses, ...scores] } }
      : {}),
    ...(verdict?.warning ? { considerations: { performanceTradeoffs: [verdict.warning] } } : {}),
  };
}

/** The bill as JSON. */
export function mlBom(facts: BomFacts): string {
  const { entries, license, version } = facts;
  const [own] = entries as [LineageEntry];
  const components = new Map<string, object>();
  const add = (ref: string, component: object): string => {
    components.set(ref, { 'bom-ref': ref, ...component });
    return ref;
  };
  const dependencies = entries.map(({ base, data, id, parents }) => ({
    ref: `adapter:${id}`,
    dependsOn: [
      ...(base
        ? [add(`base:${base.sha256}`, { type: 'machine-learning-model', name: base.file, hashes: hashes(base.sha256) })]
        : []),
      ...data.map(({ file, sha256 }) =>
        add(`data:${sha256}:${file}`, {
          type: 'data',
          name: file,
          hashes: hashes(sha256),
          data: [{ type: 'dataset', name: file }],
        }),
      ),
      ...parents.map((parent) => `adapter:${parent.id}`),
    ].filter((ref, i, all) => all.indexOf(ref) === i),
  }));
  for (const { files, id, name } of entries.slice(1))
    add(`adapter:${id}`, { type: 'machine-learning-model', name, hashes: hashes(files[0]?.sha256 ?? id) });
  const bom = {
    $schema: 'http://cyclonedx.org/schema/bom-1.6.schema.json',
    bomFormat: 'CycloneDX',
    specVersion: '1.6',
    serialNumber: serialNumber(own.id),
    version: 1,
    metadata: {
      ...(own.created ? { timestamp: own.created } : {}),
      tools: { components: [{ type: 'application', name: 'nomoat', version }] },
      component: {
        'bom-ref': `adapter:${own.id}`,
        type: 'machine-learning-model',
        name: own.name,
        hashes: hashes(own.id),
        licenses: licenses(license),
        modelCard: modelCard(facts),
      },
    },
    components: [...components.values()],
    dependencies,
  };
  return `${JSON.stringify(bom, null, 2)}\n`;
}
