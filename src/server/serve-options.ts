/** What a server is started with, and what its starter gets. */
import type { ServerLog } from './log.ts';

/** What a server is started with. */
export interface ServeOptions {
  /** Folders whose GGUF files are served, beside the models that `listModels()` finds. */
  readonly models?: readonly string[];
  /** The folder whose finished runs are served (default: `runs` in the working directory). */
  readonly runs?: string;
  /** Names that scripts have for hosted models, as `gpt-4.1-mini=qwen3-0.6b`: the model answers by that name, also with a date behind it, and is what jobs for it tune. */
  readonly map?: readonly string[];
  /** Fine-tuning jobs that train at once (default: 1). */
  readonly trainingJobs?: number;
  /** Whether jobs train in the background, at the lowest priority, so that chats do not wait for them (default: true). */
  readonly background?: boolean;
  /** Origins of web pages that may ask from a browser, such as `http://localhost:5173` (default: none). */
  readonly origins?: readonly string[];
  /** Whether every answer is marked as generated: the header `X-AI-Generated`, and the field `ai_generated` in each object (default: false). */
  readonly disclose?: boolean;
  /** Where it listens; 0 takes any port that is free (default: 8080). */
  readonly port?: number;
  /** Address or name to listen on; another than this machine's own wants a key, or `openToEverybody` (default: 127.0.0.1). */
  readonly host?: string;
  /** Tokens of prompt and answer together; by default 4096, or what a model was trained on where that is less. */
  readonly contextSize?: number | null;
  /** Threads to compute with, at most; by default one for each physical core. */
  readonly threads?: number | null;
  /** Memory for models, adapters and conversations together: bytes, or a size such as `8GB` (default: half of what is free at the start). */
  readonly memory?: number | string | null;
  /**
   * A bearer token that opens everything, beside the keys that `addApiKey()` made. Where there is neither, whoever reaches the server
   * may ask.
   */
  readonly apiKey?: string | null;
  /** Lets everybody who reaches the server chat, train, read uploaded files and delete models, without a key (default: false). */
  readonly openToEverybody?: boolean;
  /** Told of each request when it has ended, and of what should be known of the server. */
  readonly onLog?: (entry: ServerLog) => void;
}

/** A server that answers. */
export interface RunningServer {
  /** Such as `http://127.0.0.1:8080`; OpenAI's clients take it with `/v1` as their base URL. */
  readonly url: string;
  /** The names of the models that it has now. */
  readonly models: readonly string[];
  /**
   * Takes no more requests, gives those that run five seconds to end, ends them, and frees all memory. The second call waits for
   * the first.
   */
  close(): Promise<void>;
}
