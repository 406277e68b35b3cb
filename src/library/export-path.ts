/** What an export is called where nobody says it. Pure. */
import { basename, extname, resolve } from 'node:path';
import type { ExportFormat } from '../settings/adapter-settings.ts';

const endings: Readonly<Record<ExportFormat, string>> = {
  peft: '-peft',
  gguf: '.gguf',
  mlx: '-mlx',
  ollama: '-ollama',
  'merged-gguf': '-merged.gguf',
};

/** In the current folder, named after the adapter's file or folder. */
export function defaultExportPath(adapter: string, format: ExportFormat): string {
  const name = basename(resolve(adapter));
  return `${/^\.(gguf|safetensors)$/i.test(extname(name)) ? name.slice(0, -extname(name).length) : name}${endings[format]}`;
}
