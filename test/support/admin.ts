import { once } from 'node:events';
import { connect } from 'node:net';

/** Sends lines to a console, ends, and returns all that comes until the other side ends too. */
export async function askAdmin(port: number, ...lines: string[]): Promise<string> {
  const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
  await once(socket, 'connect');
  let answer = '';
  socket.setEncoding('utf8').on('data', (piece: string) => (answer += piece));
  socket.end(lines.map((line) => `${line}\n`).join(''));
  await once(socket, 'end');
  return answer;
}
