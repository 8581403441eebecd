import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';

import { expect } from 'chai';
import { afterEach, describe, it } from 'mocha';

import type { Command } from '../../src/admin/command.ts';
import type { Reply } from '../../src/admin/commands.ts';
import {
  CONNECTIONS_MAX,
  type ConsoleLimits,
  type ConsoleServer,
  createConsoleServer,
} from '../../src/admin/console-server.ts';
import { systemTime } from '../../src/flush/time.ts';

/** A connection, and all that came over it. */
interface Peer {
  readonly socket: Socket;
  readonly came: () => string;
  /** Resolves when the other side has ended, and all has come. */
  readonly ended: Promise<string>;
  until(text: string): Promise<void>;
}

describe('The console’s connections', () => {
  let server: ConsoleServer | undefined;
  let port = 0;
  const peers: Socket[] = [];
  const said: string[] = [];
  const obeyed: string[] = [];

  afterEach(() => {
    for (const socket of peers.splice(0)) socket.destroy();
    server?.close();
    said.length = 0;
    obeyed.length = 0;
  });

  async function start(
    obey: (command: Command) => Reply | Promise<Reply> | undefined = echo,
    limits: Partial<ConsoleLimits> = {},
  ): Promise<void> {
    const log = (level: string, message: string): void => void said.push(`${level}: ${message}`);
    const commands = {
      obey(command: Command): ReturnType<typeof obey> {
        obeyed.push([command.name, ...command.words].join(' '));
        return obey(command);
      },
    };
    const options = { host: '127.0.0.1', port: 0, commands, time: systemTime(), log, limits };
    server = createConsoleServer(options);
    port = Number((await server.listen()).split(':').at(-1));
  }

  function echo({ name, words }: Command): Reply | undefined {
    return name === 'quit' ? undefined : `${[name, ...words].join(' ')}!\n`;
  }

  async function open(allowHalfOpen = true): Promise<Peer> {
    const socket = connect({ port, host: '127.0.0.1', allowHalfOpen, noDelay: true });
    peers.push(socket);
    let text = '';
    let wake = (): void => {};
    socket.setEncoding('utf8').on('data', (piece: string) => {
      text += piece;
      wake();
    });
    socket.on('error', () => {});
    const ended = new Promise<string>((resolve) => {
      socket.once('end', () => resolve(text)).once('close', () => resolve(text));
    });
    await once(socket, 'connect');
    return {
      socket,
      came: () => text,
      ended,
      async until(wanted) {
        while (!text.endsWith(wanted)) await new Promise<void>((resolve) => (wake = resolve));
      },
    };
  }

  it('take a line in any pieces, and many lines at once, in order', async () => {
    await start();
    const { socket, until, came } = await open();
    for (const byte of Buffer.from('help\r\nstats\n\n\r\n \t\ndelé\nco')) {
      socket.write(Uint8Array.of(byte));
      await pause(1);
    }
    await until('delé!\n');
    expect(came(), 'nothing for empty lines').to.equal('help!\nstats!\ndelé!\n');
    socket.write(`unt\n${Array.from({ length: 500 }, (_, at) => `x ${at}\n`).join('')}`);
    await until('x 499!\n');
    expect(obeyed).to.have.length(504);
    expect(obeyed[3]).to.equal('count');
    socket.write(`${'y'.repeat(65_500)}\n`);
    await until('yy!\n');
  });

  it('wait for one answer before the next command begins', async () => {
    let running = 0;
    await start(async ({ name }) => {
      expect(++running).to.equal(1);
      await pause(2);
      running--;
      return `${name}\n`;
    });
    const { socket, ended } = await open();
    socket.end('a\nb\nc\n');
    expect(await ended).to.equal('a\nb\nc\n');
  });

  it('answer one who has ended, also a last line without its LF', async () => {
    await start();
    const { socket, ended } = await open();
    socket.end('help\nstats');
    expect(await ended).to.equal('help!\nstats!\n');
  });

  it('do not obey half a line of one who broke off', async () => {
    await start();
    const { socket, until } = await open();
    socket.write('help\ndelcounters api.h');
    await until('help!\n');
    socket.resetAndDestroy();
    const other = await open();
    other.socket.end('stats\n');
    await other.ended;
    expect(obeyed).to.deep.equal(['help', 'stats']);
  });

  it('end with quit; what comes behind it is not obeyed', async () => {
    await start();
    const { ended, socket } = await open(false);
    socket.write('help\nquit\nstats\n');
    expect(await ended).to.equal('help!\n');
    expect(obeyed).to.deep.equal(['help', 'quit']);
  });

  const foreign: [what: string, bytes: string | Buffer][] = [
    ['a GET', 'GET / HTTP/1.1\r\nHost: localhost\r\n\r\nhealth down\r\n'],
    ['a POST of commands', 'POST / HTTP/1.1\r\nContent-Length: 13\r\n\r\nhealth down\r\n'],
    ['commands as a method', 'delcounters /a.* HTTP/1.1\r\nX:\r\n\r\nhealth down\r\n'],
    ['a TLS client', Buffer.from('160301020001000001fc03030a6865616c746820646f776e0a', 'hex')],
    ['an endless line', `${'x'.repeat(70_000)}\nhealth down\n`],
  ];
  for (const [what, bytes] of foreign) {
    it(`end at once with one ERROR for ${what}`, async () => {
      await start();
      const { socket, ended } = await open(false);
      socket.write(bytes);
      expect(await ended).to.equal('ERROR\n');
      expect(obeyed).to.deep.equal([]);
    });
  }

  it('a real request of fetch fails, and nothing of its body is obeyed', async () => {
    await start();
    const body = 'health down\ndelcounters api.*\n';
    const error = await fetch(`http://127.0.0.1:${port}/`, { method: 'POST', body }).catch(
      (cause: unknown) => cause,
    );
    expect(error).to.be.instanceOf(TypeError);
    expect(obeyed).to.deep.equal([]);
  });

  it('a flood of commands is answered in order, and holds up no other connection', async () => {
    await start();
    const flood = await open();
    const lines = Array.from({ length: 100_000 }, (_, at) => `${at}\n`).join('');
    flood.socket.end(lines);
    const other = await open();
    other.socket.end('help\n');
    expect(await other.ended).to.equal('help!\n');
    expect(obeyed.length, 'the flood was over before').to.be.below(100_000);
    expect(await flood.ended).to.equal(lines.replaceAll('\n', '!\n'));
  });

  it('one who never reads costs little, and is dropped', async () => {
    let made = 0;
    let drop = (): void => {};
    const dropped = new Promise<void>((resolve) => (drop = resolve));
    function* endless(): Generator<string> {
      try {
        for (;;) {
          made += 10_000;
          yield 'x'.repeat(10_000);
        }
      } finally {
        drop();
      }
    }
    await start(() => ({ make: () => Promise.resolve(endless()) }), { silenceMs: 100 });
    const { socket, ended } = await open();
    socket.pause();
    socket.write('counters\n'.repeat(1000));
    await dropped;
    socket.resume();
    expect((await ended).length).to.be.most(made);
    expect(made).to.be.below(32 << 20);
    expect(obeyed).to.deep.equal(['counters']);
  });

  it('one who reads too little for too long is dropped', async () => {
    function* endless(): Generator<string> {
      for (;;) yield 'x'.repeat(10_000);
    }
    await start(() => ({ make: () => Promise.resolve(endless()) }), { answerMs: 200 });
    const { socket, ended } = await open();
    socket.write('counters\n');
    expect((await ended).length).to.be.above(0);
  });

  it('one who says nothing is dropped, and so is one who does not close after the end', async () => {
    await start(echo, { idleMs: 50, lingerMs: 50 });
    const idle = await open();
    const quitting = await open();
    quitting.socket.write('quit\n');
    const closed = [idle, quitting].map(({ socket }) => once(socket, 'end'));
    await Promise.all(closed);
    for (;;) {
      const other = await open();
      other.socket.end('help\n');
      if ((await other.ended) === 'help!\n') break;
    }
    // As long as it is there, what still comes is passed over; then it is answered by a reset.
    for (; !quitting.socket.destroyed; await pause(10)) quitting.socket.write('x');
  });

  it('only two large answers are made at once; the others have their turn', async () => {
    let making = 0;
    let most = 0;
    await start(() => ({
      async make() {
        most = Math.max(most, ++making);
        await pause(5);
        making--;
        return ['done\n'];
      },
    }));
    const all = await Promise.all(Array.from({ length: 6 }, () => open()));
    for (const { socket } of all) socket.end('counters\n');
    for (const { ended } of all) expect(await ended).to.equal('done\n');
    expect(most).to.equal(2);
  });

  it('an answer that cannot be made is an ERROR; one that fails halfway is cut short', async () => {
    function* failing(): Generator<string> {
      yield 'x'.repeat(100_000);
      throw new Error('half');
    }
    await start(({ name }) => {
      if (name === 'away') return { make: () => Promise.reject(new Error('no store')) };
      if (name === 'half') return { make: () => Promise.resolve(failing()) };
      if (name === 'defect') return Promise.reject(new Error('defect'));
      return 'well\n';
    });
    const one = await open();
    one.socket.end('away\ndefect\nwell\n');
    expect(await one.ended).to.equal('ERROR\nERROR\nwell\n');
    expect(said).to.deep.equal(['warn: admin: away: no store']);
    const other = await open();
    other.socket.write('half\nwell\n');
    expect(await other.ended).to.match(/^x+$/);
    expect(obeyed.at(-1)).to.equal('half');
  });

  it('are so many, and no more', async () => {
    await start();
    const all = await Promise.all(Array.from({ length: CONNECTIONS_MAX }, () => open()));
    for (const one of all) {
      one.socket.write('help\n');
      await one.until('help!\n');
    }
    const more = await open(false);
    expect(await more.ended).to.equal('');
    expect(said).to.deep.equal([
      `warn: admin: a connection was closed as it came: ${CONNECTIONS_MAX} are open, which is all there may be`,
    ]);
    all[0]!.socket.end();
    await all[0]!.ended;
    for (let came = ''; came === '';) {
      const next = await open();
      next.socket.end('help\n');
      came = await next.ended;
    }
  });

  it('are closed at once, whatever they wait for', async () => {
    await start(() => new Promise<Reply>(() => {}));
    const [idle, waiting] = [await open(), await open()];
    waiting.socket.write('stats\n');
    while (obeyed.length === 0) await pause(1);
    server!.close();
    expect(await Promise.all([idle.ended, waiting.ended])).to.deep.equal(['', '']);
  });
});
