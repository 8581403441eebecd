import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';

/** Sends datagrams to a unix socket, which Node cannot: Python does, an independent peer. */
export interface UnixSender {
  /** Resolves when the kernel has it, with how it went: `ok`, or the name of the error. */
  send(datagram: string | Uint8Array): Promise<void>;
  /** Sends the same so many times, as fast as it is taken; resolves with how many were. */
  repeat(datagram: string, times: number): Promise<number>;
  close(): void;
}

// A request is a line: how often, and the datagram in hex. The answer is one, too: how many were
// taken, and the error that ended it, if one did.
const SOURCE = `
import errno, socket, sys
one = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
one.connect(sys.argv[1])
print('0 ok', flush=True)
for line in sys.stdin:
    times, text = line.rstrip('\\n').split(' ')
    data, sent, how = bytes.fromhex(text), 0, 'ok'
    try:
        for _ in range(int(times)):
            one.send(data)
            sent += 1
    except OSError as error:
        how = errno.errorcode[error.errno]
    print(sent, how, flush=True)
`;

/** Opens a sender; rejects where nobody listens. Texts are sent byte by character. */
export async function openUnixSender(path: string): Promise<UnixSender> {
  const child: ChildProcess = spawn('python3', ['-c', SOURCE, path], {
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  const answers = createInterface(child.stdout!)[Symbol.asyncIterator]();
  let errors = '';
  child.stderr!.on('data', (data: Buffer) => (errors += data.toString()));
  await answer();

  return {
    async send(datagram) {
      const [, how] = await request(datagram, 1);
      if (how !== 'ok') throw Object.assign(new Error(`send: ${how}`), { code: how });
    },
    repeat: async (datagram, times) => (await request(datagram, times))[0],
    close: () => void child.kill('SIGKILL'),
  };

  function request(datagram: string | Uint8Array, times: number): Promise<[number, string]> {
    const bytes = typeof datagram === 'string' ? Buffer.from(datagram, 'latin1') : datagram;
    child.stdin!.write(`${times} ${Buffer.from(bytes).toString('hex')}\n`);
    return answer();
  }

  async function answer(): Promise<[number, string]> {
    const { value, done } = await answers.next();
    if (done === true) throw new Error(`the sender ended: ${errors.trim().split('\n').at(-1)}`);
    const [sent, how = ''] = value.split(' ');
    return [Number(sent), how];
  }
}
