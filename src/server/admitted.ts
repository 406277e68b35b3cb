/** Who is let in: by Host and Origin, by key, or by the cookie of the studio's page. */
import type { MiddlewareHandler } from 'hono';
import { assertHost, assertOrigin } from './access.ts';
import { stopping } from './api-error.ts';
import { everything, type KeyRing } from './keys.ts';
import type { Environment } from './request.ts';
import { openPaths } from './scopes.ts';
import { isAsset } from './studio/assets.ts';
import type { StudioDoor } from './studio/door.ts';

/** Answered while the server closes, too. */
export const healthPath = '/healthz';

/** What is asked before anybody is let in. */
interface Doorkeepers {
  readonly host: string;
  readonly keys: KeyRing;
  readonly origins: readonly string[];
  readonly studio: StudioDoor | null;
  readonly closing: AbortSignal;
}

/** Whether a request is answered at all: by whom it asked for, while the server is open, with its key. */
export function admitted({ closing, host, keys, origins, studio }: Doorkeepers): MiddlewareHandler<Environment> {
  return async (context, next) => {
    const { headers } = context.env.incoming;
    assertHost(host, headers.host);
    assertOrigin(headers.origin, headers.host, origins);
    const { path } = context.req;
    if (closing.aborted && path !== healthPath) throw stopping();
    if (!openPaths.has(path) && !(studio && isAsset(path))) {
      const { noted, spend } = context.get('asked');
      const authorization = context.req.header('authorization');
      const page = authorization === undefined ? (studio?.admits(context.env.incoming) ?? null) : null;
      noted.caller = page ? everything : keys.admit(authorization);
      if (page?.renewed) context.header('Set-Cookie', page.renewed);
      spend(0);
    }
    await next();
  };
}
