/** A job's files held against the platform's rules and the model that is tuned, before anything is trained. */
import { existsSync } from 'node:fs';
import type { TuningFault } from '../../dataset/tuning-file.ts';
import { openGguf } from '../../formats/gguf/read.ts';
import { resolveChat } from '../../library.ts';
import { readModelConfig } from '../../models/config.ts';
import {
  type JobMethod,
  type JobSettings,
  jobMethods,
  settingsOfHyperparameters,
} from '../../settings/job-hyperparameters.ts';
import { stackText } from '../../store/stack.ts';
import type { TuningFormat } from '../../text/tuning-rows.ts';
import type { ModelList } from '../model-list.ts';
import type { FileStore } from '../state/file-store.ts';
import type { JobError, JobStore, NewEvent, StoredJob } from '../state/job-store.ts';
import { checkInProcess } from './file-checker.ts';
import { JobFailure } from './job-failure.ts';

interface Parts {
  readonly jobs: JobStore;
  readonly files: FileStore;
  readonly models: ModelList;
  /** At the lowest priority. */
  readonly nice: boolean;
}

type Param = 'training_file' | 'validation_file';

/** Faults that are events of their own; the job's error has the first. */
const toldFaults = 20;

/** What a job's files hold. */
const formatsOf: Readonly<Record<JobMethod, readonly TuningFormat[]>> = {
  supervised: ['chat', 'completion'],
  dpo: ['preference'],
};

/** Throws JobFailure where a file will not do; events say what else is to be known of it. */
export async function checkFiles(parts: Parts, job: StoredJob, signal: AbortSignal): Promise<void> {
  const { asked, id } = job;
  const { modelPath } = await baseOf(parts, job);
  for (const param of ['training_file', 'validation_file'] as const) {
    const file = asked[param];
    if (file === null) continue;
    parts.jobs.tell(id, { key: `check ${param}`, message: `Validating ${param.replace('_', ' ')}: ${file}` });
    const path = parts.files.pathOf(file);
    if (!existsSync(path)) throw refused(param, file, gone, 1);
    const options = { formats: formatsOf[asked.method], model: modelPath };
    const found = await checkInProcess({ path, options, nice: parts.nice }, signal);
    if (found.faults.length > 0) throw refused(param, file, found.faults, found.faultCount);
    for (const note of found.notes)
      parts.jobs.tell(id, { key: `note ${param} ${note}`, level: 'warn', message: `${file}: ${note}` });
  }
}

const gone: readonly TuningFault[] = [
  { line: null, message: 'The file is not there any more.', code: 'invalid_file_format' },
];

function refused(param: Param, file: string, faults: readonly TuningFault[], count: number): JobFailure {
  const [first] = faults;
  const more = count > 1 ? ` (and ${count - 1} more; the job's events have them)` : '';
  const told: JobError = { code: codeOf(param, first!), param, message: `${file}: ${first!.message}${more}` };
  const events = faults
    .slice(0, toldFaults)
    .map(
      ({ message }, i): NewEvent => ({ key: `fault ${param} ${i}`, level: 'error', message: `${file}: ${message}` }),
    );
  return new JobFailure(told, events);
}

/** As the platform called them: what is wrong with a training file as a whole has names of its own, and so have too few examples. */
const codeOf = (param: Param, { code, line }: TuningFault): string =>
  code === 'invalid_n_examples' || (param === 'training_file' && line === null) ? code : `invalid_${param}`;

/** The file of a job's base, and the adapter that it goes on from. Throws JobFailure where the model is gone. */
export async function baseOf(
  { models }: Pick<Parts, 'models'>,
  { base }: StoredJob,
): Promise<{ modelPath: string; initialAdapter: string | null }> {
  const served = await models.find(base);
  if (served) {
    const { adapters, modelPath } = await resolveChat({ model: served.path });
    return { modelPath, initialAdapter: adapters.length === 0 ? null : stackText(adapters) };
  }
  const message = `The model '${base}' is not there any more.`;
  throw new JobFailure({ code: 'model_not_found', param: 'model', message });
}

/** Settings of `tune` that the job's hyperparameters decide for its model. Throws NomoatError where they are out of bounds. */
export function trainingSettings(
  { asked }: StoredJob,
  modelPath: string,
): JobSettings & { readonly method: 'lora' | 'dpo' } {
  const model = openGguf(modelPath);
  try {
    const { method, rates } = jobMethods[asked.method];
    const facts = { ...readModelConfig(model), method: rates };
    return { ...settingsOfHyperparameters(asked.hyperparameters, facts), method };
  } finally {
    model.close();
  }
}
