/** What the studio's routes do, in a sentence each, for the page of what is answered. */
export const studioEndpoints: Readonly<Record<string, string>> = {
  'GET /studio/v1/state': 'of the studio: version, models with their sizes, cores and memory of this machine',
  'GET /studio/v1/settings': "the settings of `tune` as JSON Schema, as `settingsSchema('tune')` gives them",
  'POST /studio/v1/preview': 'uploaded data as the tokens that would be trained on, as `preview()` gives them',
  'POST /studio/v1/inspect-data': 'what data holds that should be known before it is learnt, as `inspectData()` gives it',
  'POST /studio/v1/plan': 'what tuning would take, as `plan()` gives it',
  'GET /studio/v1/runs': 'runs of the folder and jobs that wait for their turn, newest first',
  'POST /studio/v1/runs': 'a run with any settings of `tune`, as a job that is paused, resumed and cancelled as those of /v1/fine_tuning',
  'GET /studio/v1/runs/{name}': 'one of them',
  'GET /studio/v1/runs/{name}/events': 'what the run says behind `after` and `mark` of the answer before: each event once, whatever happened between',
  'GET /studio/v1/runs/{name}/report': 'its report.json',
  'GET /studio/v1/runs/{name}/page': 'its report.html, in a sandbox',
  'POST /studio/v1/runs/{name}/export': 'its adapter in another format, in the folder `exports` of the runs',
}; // biome-ignore format: a table
