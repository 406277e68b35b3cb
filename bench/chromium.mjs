/**
 * Pages in Debian's chromium, over its pipe (no port, no further package): `apt-get install chromium fonts-noto-cjk`, or CHROMIUM names one.
 * Used by report-pages.mjs and the test of the report.
 */
import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const places = [process.env.CHROMIUM, '/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'];
/** Where a chromium is; undefined where there is none. */
export const chromiumPath = places.find((path) => path && existsSync(path));

/** A browser with one page. `send` is a call of the DevTools protocol, `on` hears its events. */
export async function openChromium() {
  const profile = mkdtempSync(join(tmpdir(), 'nomoat-chromium-'));
  const flags = ['--headless=new', '--no-sandbox', '--disable-gpu', '--hide-scrollbars', '--force-device-scale-factor=1', '--no-first-run', '--disable-background-networking', '--remote-debugging-pipe', `--user-data-dir=${profile}`];
  const child = spawn(chromiumPath, flags, { stdio: ['ignore', 'ignore', 'ignore', 'pipe', 'pipe'] });
  const [, , , to, from] = child.stdio;
  const waiting = new Map();
  const heard = new Map();
  let id = 0;
  let rest = '';
  from.setEncoding('utf8').on('data', (text) => {
    const messages = (rest + text).split('\0');
    rest = messages.pop();
    for (const { error, id: of, method, params, result } of messages.map((message) => JSON.parse(message))) {
      if (of === undefined) heard.get(method)?.(params);
      else if (error) waiting.get(of)?.reject(new Error(error.message));
      else waiting.get(of)?.resolve(result);
    }
  });
  const call = (method, params = {}, sessionId) =>
    new Promise((resolve, reject) => {
      waiting.set(++id, { resolve, reject });
      to.write(`${JSON.stringify({ id, method, params, ...(sessionId ? { sessionId } : {}) })}\0`);
    });
  const { targetId } = await call('Target.createTarget', { url: 'about:blank' });
  const { sessionId } = await call('Target.attachToTarget', { targetId, flatten: true });
  const send = (method, params) => call(method, params, sessionId);
  const evaluate = async (expression) => {
    const { exceptionDetails, result } = await send('Runtime.evaluate', { expression, awaitPromise: true, returnByValue: true });
    if (exceptionDetails) throw new Error(exceptionDetails.exception?.description ?? exceptionDetails.text);
    return result.value;
  };
  return {
    send,
    evaluate,
    on: (method, listener) => heard.set(method, listener),
    async close() {
      const gone = new Promise((resolve) => child.once('exit', resolve));
      // Its own end, so that its further processes end with it and write nothing into the folder any more.
      call('Browser.close').catch(() => {});
      const killed = setTimeout(() => child.kill('SIGKILL'), 10_000);
      await gone;
      clearTimeout(killed);
      rmSync(profile, { recursive: true, force: true, maxRetries: 20, retryDelay: 200 });
    },
  };
}
