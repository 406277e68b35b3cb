/**
 * A hub repository as people copy it: `org/name`, `org/name:Q4_K_M`, `hf.co/org/name` as for Ollama, or an address of the browser's, of a
 * file in it as well. Pure.
 */

export interface HubAddress {
  readonly repo: string;
  /** The file that was meant, or null. */
  readonly file: string | null;
  readonly quantization: string | null;
}

const site = /^(https?:\/\/)?(www\.)?(huggingface\.co|hf\.co)\//i;
/** What stands between a repository and a file of it. */
const views: readonly string[] = ['blob', 'resolve', 'raw', 'tree'];

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** The parts of the address; whether there is such a repository is not known here. */
export function hubAddress(text: string): HubAddress {
  const path = text
    .trim()
    .replace(site, '')
    .replace(/[?#].*$/, '')
    .replace(/\/+$/, '');
  const [org = '', name = '', view = '', , ...rest] = path.split('/');
  if (views.includes(view)) {
    const file = rest.join('/');
    return { repo: `${org}/${name}`, file: /\.gguf$/i.test(file) ? decoded(file) : null, quantization: null };
  }
  const [repo = '', quantization = null] = path.split(':');
  return { repo, file: null, quantization };
}
