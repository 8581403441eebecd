import { subscribe } from 'node:diagnostics_channel';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { Socket } from 'node:net';

/** A request that is under way, and who is to know how its response ends. */
export interface Passage<Request extends IncomingMessage = IncomingMessage> {
  readonly request: Request;
  readonly response: ServerResponse;
  /** Who watches it: a response that one watcher has already is not given to it again. */
  readonly watcher: Watcher<Request>;
}

/** Is told once of each response: sent, or its client (or server) broke it off. */
export interface Watcher<Request extends IncomingMessage = IncomingMessage> {
  ended(passage: Passage<Request>, isSent: boolean): void;
}

const PASSAGES = Symbol('passages');
type Watched = { [PASSAGES]?: Passage[] };

let isSubscribed = false;

/**
 * Tells a passage's watcher when its response has ended. Returns false, and does nothing, if that
 * watches it already.
 *
 * Two listeners and a property on every response cost 5 % of what Express takes for a request.
 * Node's own servers say on a diagnostics channel that a response has finished, and a connection
 * closes once: so what is open is kept on the connection, and nothing is put on the response. What
 * comes otherwise (HTTP/2, a response that somebody else has made) gets listeners.
 */
export function watchEnding<Request extends IncomingMessage>(passage: Passage<Request>): boolean {
  const one = passage as unknown as Passage;
  const { request, response } = one;
  const socket: (Socket & Watched) | undefined = request.socket; // absent from stand-ins
  return socket !== undefined && isNodes(socket, response)
    ? keepOn(socket, one, closesPassages)
    : keepOn(response, one, listen);
}

/**
 * Whether it is a server of Node's that has made a response. Such a server listens to it itself;
 * should its listener's name change, the response gets listeners of ours, which cost more. Looked
 * at once a connection.
 */
function isNodes(socket: Socket & Watched, response: ServerResponse): boolean {
  if (socket[PASSAGES] !== undefined) return true;
  const [first] = response.listeners('finish');
  return socket instanceof Socket && first?.name === 'bound resOnFinish';
}

function keepOn<Keeper extends object>(
  keeper: Keeper & Watched,
  passage: Passage,
  onFirst: (keeper: Keeper & Watched) => void,
): boolean {
  const passages = keeper[PASSAGES];
  if (passages === undefined) {
    keeper[PASSAGES] = [passage];
    onFirst(keeper);
    return true;
  }
  for (const { response, watcher } of passages) {
    if (response === passage.response && watcher === passage.watcher) return false;
  }
  passages.push(passage);
  return true;
}

/** A connection: what is open when it closes was not sent. */
function closesPassages(socket: Socket & Watched): void {
  if (!isSubscribed) subscribe('http.server.response.finish', onFinish);
  isSubscribed = true;
  socket.once('close', () => {
    for (const passage of socket[PASSAGES]?.splice(0) ?? []) tell(passage, false);
  });
}

function onFinish(message: unknown): void {
  const { response, socket } = message as { response: ServerResponse; socket: Socket & Watched };
  const passages = socket[PASSAGES];
  if (passages === undefined) return;
  for (let at = passages.length - 1; at >= 0; at--) {
    const passage = passages[at]!;
    if (passage.response !== response) continue;
    if (at === passages.length - 1) passages.pop();
    else passages.splice(at, 1);
    // Node 20 finishes also what was still to be written when the client went away.
    tell(passage, !socket.destroyed);
  }
}

/** A response by itself. */
function listen(response: ServerResponse & Watched): void {
  const end = (isSent: boolean): void => {
    for (const passage of response[PASSAGES]?.splice(0) ?? []) tell(passage, isSent);
  };
  // Over HTTP/2 a stream that its client has reset finishes too, without having been ended.
  response.on('finish', () => end(response.writableEnded));
  response.on('close', () => end(false));
}

function tell(passage: Passage, isSent: boolean): void {
  passage.watcher.ended(passage, isSent);
}
