/** The file beside a data set that nomoat made, which says what of. */
import { writeFileAtomic } from '../formats/atomic-write.ts';
import { writeJson } from '../formats/exact-json.ts';
import { provenanceEnding } from '../records/data-folders.ts';
import { ownVersion } from '../store/installed-version.ts';

const provenanceVersion = 1;

/** A file that rows were made of. */
export interface ProvenanceSource {
  readonly path: string;
  readonly bytes: number;
  readonly sha256: string;
}

/** Writes it for the data set that will be at `path`, and gives its own path. `kind`: what the rows are. */
export function writeProvenance<Made extends { readonly kind: string; readonly sources: readonly ProvenanceSource[] }>(
  path: string,
  made: Made,
): string {
  const provenance = `${path}${provenanceEnding}`;
  const tool = `nomoat ${ownVersion() ?? ''}`.trim();
  const record = { version: provenanceVersion, tool, created: new Date().toISOString(), ...made };
  writeFileAtomic(provenance, `${writeJson(record, 2)}\n`);
  return provenance;
}
