/** A server of nomoat from another program or machine: its models to chat with, its fine-tuning jobs. */
import { ServerConnection, type ServerOptions } from '../client/connection.ts';
import { type ServerJobs, serverJobs } from '../client/jobs.ts';
import { type RemoteModel, remoteChat } from '../client/remote-chat.ts';

/** What a server can be asked for. Nothing is kept open: each call is a request of its own. */
export interface ServerClient {
  /** The model of that name, which is looked for when it is asked. */
  model(name: string): RemoteModel;
  /** Its fine-tuning jobs. */
  readonly jobs: ServerJobs;
}

/** The server at an address. Throws NomoatError where the address is none; nothing is asked yet. */
export function connectServer(options: ServerOptions): ServerClient {
  const connection = new ServerConnection(options);
  return { model: (name) => remoteChat(connection, name), jobs: serverJobs(connection) };
}
