/** `nomoat jobs`: the fine-tuning jobs of a server. */
import { Argument, type Command } from 'commander';
import type { ServerJob, ServerJobEvent, ServerJobs } from '../client/jobs.ts';
import { NomoatError } from '../errors.ts';
import { jobsActions, jobsOptions } from '../settings/command-settings.ts';
import { toggle } from '../settings/fields.ts';
import { bare } from './bare-command.ts';
import { addFlags, flagsOf } from './flags.ts';
import { print } from './print.ts';
import { StatusLine } from './status-line.ts';

const shown = { json: toggle(false, 'one JSON object a job, or an event of the one that is followed') };
type Action = (typeof jobsActions)[number];

/** As shells report a program that Ctrl-C ended. */
const interruptedCode = 130;

const timeOf = (seconds: number): string => new Date(seconds * 1000).toISOString().slice(0, 16).replace('T', ' ');

function lineOf({ created_at: created, error, fine_tuned_model: result, id, model, status }: ServerJob): string {
  const outcome = result ?? error?.message ?? '';
  return `${id}  ${status.padEnd(16)} ${timeOf(created)}  ${model}${outcome === '' ? '' : `  ${outcome}`}`;
}

/** The job whose id is given, or ends so; without one, the newest. Throws NomoatError. */
async function jobOf(jobs: ServerJobs, id: string | undefined): Promise<ServerJob> {
  const all = await jobs.list();
  const found = id === undefined ? all.slice(0, 1) : all.filter((each) => each.id === id || each.id.endsWith(id));
  if (found.length === 1) return found[0]!;
  const fault =
    id === undefined
      ? 'there is none'
      : found.length > 1
        ? `${id} is the end of ${found.length} ids`
        : `there is none of the id ${id}`;
  throw new NomoatError({ part: 'the job', fault, remedy: '`nomoat jobs` lists them.' });
}

/** Metrics as tune's bar has them, everything else as lines. */
function showEvent(status: StatusLine, told: ServerJobEvent, validation: { loss: number | null }): void {
  const { data, level, message } = told;
  if (data?.valid_loss !== undefined) validation.loss = data.valid_loss;
  if (data?.step === undefined || data.total_steps === undefined || data.train_loss === undefined) {
    status.line(level === 'info' ? message : `${level}: ${message}`);
    return;
  }
  const held = validation.loss === null ? '' : `  validation ${validation.loss.toFixed(4)}`;
  status.progress(
    data.step,
    data.total_steps,
    `step ${data.step}/${data.total_steps}  loss ${data.train_loss.toFixed(4)}${held}`,
  );
}

/** Shows a job until it has ended; leaving does not end it. */
async function follow(jobs: ServerJobs, id: string, json: boolean): Promise<void> {
  const left = new AbortController();
  const leave = (): void => left.abort();
  process.once('SIGINT', leave);
  const status = new StatusLine(process.stderr);
  const validation = { loss: null };
  try {
    for await (const told of jobs.follow(id, left.signal)) {
      if (json) print(JSON.stringify({ type: 'job-event', ...told }));
      else showEvent(status, told, validation);
    }
    const job = await jobs.get(id);
    print(json ? JSON.stringify({ type: 'job', ...job }) : lineOf(job));
    if (job.status === 'failed') process.exitCode = 1;
  } catch (error) {
    if (!left.signal.aborted) throw error;
    status.line(`Left: ${id} goes on.`);
    process.exitCode = interruptedCode;
  } finally {
    process.off('SIGINT', leave);
  }
}

export function command(): Command {
  const command = bare('jobs')
    .addArgument(new Argument('[ACTION]', 'what is done').choices(jobsActions).default('list'))
    .argument('[ID]', 'of the job, or the end of it; without one, the newest is followed');
  return addFlags(command, { ...jobsOptions, ...shown }).action(async (action: Action, id?: string) => {
    const { json, server } = flagsOf(command, { ...jobsOptions, ...shown });
    const { connectServer } = await import('../library/server-client.ts');
    const { jobs } = connectServer({ url: server, apiKey: process.env.NOMOAT_API_KEY ?? null });
    const say = (job: ServerJob): void => print(json ? JSON.stringify({ type: 'job', ...job }) : lineOf(job));
    if (action === 'list') {
      const all = await jobs.list();
      for (const job of all) if (id === undefined || job.id.endsWith(id)) say(job);
      if (all.length === 0 && !json) print('No fine-tuning jobs.');
      return;
    }
    if (action !== 'follow' && id === undefined)
      throw new NomoatError({
        part: 'ID',
        fault: 'was not given',
        remedy: `Name the job: \`nomoat jobs ${action} ID\`.`,
      });
    const { id: whole } = await jobOf(jobs, id);
    if (action === 'follow') await follow(jobs, whole, json);
    else say(await jobs.change(whole, action));
  });
}
