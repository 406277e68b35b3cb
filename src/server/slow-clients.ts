/**
 * Clients that send or read too slowly, or no HTTP. Promises: a connection is held as long as what is sent over it makes progress, however
 * large it is, and no longer; whoever can still read it is told why with an error object.
 */
import type { IncomingMessage, Server } from 'node:http';
import type { Socket } from 'node:net';
import { ApiError } from './api-error.ts';
import type { ServerLimits } from './limits.ts';

type Limits = Pick<ServerLimits, 'progressMilliseconds' | 'progressBytes'>;

const reasons: Readonly<Record<number, string>> = {
  400: 'Bad Request',
  408: 'Request Timeout',
  431: 'Request Header Fields Too Large',
};

/** Says why and ends the connection; whoever does not read that either is not waited for. */
function cutOff(socket: Socket, fault: ApiError): void {
  const isBegun = socket.bytesWritten > (saidBefore.get(socket) ?? 0);
  if (isBegun || !socket.writable) return void socket.destroy();
  const body = JSON.stringify(fault);
  const head = [
    `HTTP/1.1 ${fault.status} ${reasons[fault.status]}`,
    'Content-Type: application/json',
    `Content-Length: ${Buffer.byteLength(body)}`,
    'Connection: close',
  ];
  socket.end(`${head.join('\r\n')}\r\n\r\n${body}`, () => socket.destroy());
}

/** Bytes that were sent over a connection before its last request came, and with the answer where that is whole. */
const saidBefore = new WeakMap<Socket, number>();

const tooSlow = (seconds: number): ApiError =>
  new ApiError({
    status: 408,
    code: 'request_timeout',
    message: `The request made too little progress in ${seconds} seconds.`,
  });

/** What Node's parser refused. */
function parserFault({ code }: NodeJS.ErrnoException): ApiError {
  if (code === 'HPE_HEADER_OVERFLOW')
    return new ApiError({ status: 431, code: 'headers_too_large', message: 'The headers are too large.' });
  if (code === 'ERR_HTTP_REQUEST_TIMEOUT')
    return new ApiError({ status: 408, code: 'request_timeout', message: 'The headers came too slowly.' });
  return new ApiError({ status: 400, code: 'invalid_http', message: 'This is no valid HTTP/1.1 request.' });
}

/** Looks after the connections of a server until it is closed. */
export function watchClients(server: Server, { progressBytes, progressMilliseconds }: Limits): void {
  /** Requests whose body is not there yet, with the bytes that their connection had received at the last look. */
  const receiving = new Map<IncomingMessage, number | null>();
  server.on('request', (incoming, outgoing) => {
    // An answer has let go of its connection when it is finished.
    const { socket } = incoming;
    const noted = (): void => void saidBefore.set(socket, socket.bytesWritten);
    noted();
    outgoing.once('finish', noted);
    if (!incoming.complete) receiving.set(incoming, null);
    outgoing.once('close', () => receiving.delete(incoming));
  });
  const look = (): void => {
    for (const [incoming, before] of receiving) {
      const { bytesRead } = incoming.socket;
      if (incoming.complete) receiving.delete(incoming);
      else if (before === null || bytesRead - before >= progressBytes) receiving.set(incoming, bytesRead);
      else {
        receiving.delete(incoming);
        cutOff(incoming.socket, tooSlow(progressMilliseconds / 1000));
      }
    }
  };
  // Behind what has come meanwhile: after a pause of the process timers go before connections.
  const timer = setInterval(() => setImmediate(look), progressMilliseconds).unref();
  server.once('close', () => clearInterval(timer));
  // Node tells of connections on which nothing has moved, either way. Of those some wait for an answer that is being computed.
  server.setTimeout(progressMilliseconds, (socket) => {
    if (socket.writableLength > 0) socket.destroy();
  });
  server.on('clientError', (error, socket) => cutOff(socket as Socket, parserFault(error)));
}
