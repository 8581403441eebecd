import { chmodSync, existsSync, lstatSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { closeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { expect } from 'chai';
import { afterEach, before, beforeEach, describe, it } from 'mocha';

import { StatcolError } from '../../src/errors.ts';
import { type Libc, LINUX, loadLibc, unixAddress } from '../../src/ingest/libc.ts';
import { unixFault } from '../../src/ingest/unix-fault.ts';
import { openUnixSocket } from '../../src/ingest/unix-socket.ts';

const NOBODY = 65_534;
const isRoot = process.geteuid?.() === 0;
const user = isRoot ? NOBODY : process.geteuid?.();

describe('who cannot have the path of a unix socket is told why', () => {
  let libc: Libc;
  let folder: string;
  let path: string;
  const open: number[] = [];

  before(async () => {
    libc = await loadLibc();
  });
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'statcol-unix-'));
    chmodSync(folder, 0o755);
    path = join(folder, 'socket');
  });
  afterEach(() => {
    for (const fd of open.splice(0)) closeSync(fd);
    chmodSync(folder, 0o755);
    rmSync(folder, { recursive: true, force: true });
  });

  function bound(at: string): number {
    const fd = libc.socket(LINUX.AF_UNIX, LINUX.SOCK_DGRAM | LINUX.SOCK_CLOEXEC, 0);
    open.push(fd);
    const address = unixAddress(at);
    expect(libc.bind(fd, address, address.length)).to.equal(0);
    return fd;
  }

  function leftBehind(): void {
    bound(path);
    closeSync(open.pop()!);
  }

  /** As one whom rights concern: root is none. */
  function refusal(): string {
    if (isRoot) process.seteuid?.(NOBODY);
    try {
      const { descriptors } = openUnixSocket(libc, path, 0o660);
      open.push(descriptors.socketFd, descriptors.wakeFd);
      return 'none';
    } catch (error) {
      expect(error).to.be.instanceOf(StatcolError).with.property('code', 'ERR_LISTEN');
      return (error as Error).message;
    } finally {
      if (isRoot) process.seteuid?.(0);
    }
  }

  it('the directory may not be written', () => {
    chmodSync(folder, 0o555);
    const told = `unix ${path}: user ${user} may not make and remove files in the directory ${folder}: allow it, or choose another with --unix`;
    expect(refusal()).to.equal(told);
    chmodSync(folder, 0o755);
    leftBehind();
    chmodSync(path, 0o777);
    chmodSync(folder, 0o555);
    expect(refusal()).to.equal(told);
    expect(existsSync(path)).to.equal(true);
  });

  it('it may not be entered', () => {
    const inner = join(folder, 'inner');
    mkdirSync(inner);
    path = join(inner, 'socket');
    chmodSync(inner, 0o600);
    expect(refusal()).to.equal(
      `unix ${path}: user ${user} may not enter the directory ${inner}: allow it, or choose another with --unix`,
    );
  });

  it("somebody else's file tells only those who may send whether somebody listens", () => {
    for (const isLive of [true, false]) {
      if (isLive) bound(path);
      else leftBehind();
      chmodSync(path, 0o400);
      expect(refusal()).to.equal(
        `unix ${path} belongs to user ${lstatSync(path).uid} (mode 0400), and whether somebody listens there cannot be told: stop that program, or remove the file if there is none, or choose another with --unix`,
      );
      rmSync(path);
    }
  });

  // Without another user nothing is another's.
  if (isRoot) {
    it('what nobody listens on may not be removed, others own it', () => {
      chmodSync(folder, 0o1777);
      leftBehind();
      chmodSync(path, 0o777);
      expect(refusal()).to.equal(
        `unix ${path} is a socket that nobody listens on, and user ${NOBODY} may not remove it: remove it, or choose another with --unix`,
      );
    });
  }

  it('a socket that takes from one peer alone is in use', () => {
    const peer = join(folder, 'peer');
    bound(peer);
    const address = unixAddress(peer);
    expect(libc.connect(bound(path), address, address.length)).to.equal(0);
    chmodSync(path, 0o777);
    expect(refusal()).to.equal(
      `unix ${path} is in use: stop the program that listens there, or choose another with --unix`,
    );
  });

  it('its own file that cannot be removed any more does not keep it from ending', () => {
    const socket = openUnixSocket(libc, path, 0o660);
    open.push(socket.descriptors.socketFd, socket.descriptors.wakeFd);
    chmodSync(folder, 0o000);
    if (isRoot) process.seteuid?.(NOBODY);
    try {
      socket.remove();
    } finally {
      if (isRoot) process.seteuid?.(0);
      chmodSync(folder, 0o755);
    }
    expect(existsSync(path)).to.equal(true);
    socket.remove();
    expect(existsSync(path)).to.equal(false);
    socket.remove();
  });

  it('where nothing may be written at all, and whatever else a call fails of', () => {
    const failed = (code: string): string =>
      unixFault('/x/y', Object.assign(new Error(`bind: ${code}`), { code }));
    expect(failed('EROFS')).to.equal(
      'unix /x/y: the directory /x is read-only: choose another with --unix',
    );
    expect(failed('EMFILE')).to.equal(
      'unix /x/y could not be bound: bind: EMFILE; choose another with --unix',
    );
    expect(failed('EADDRINUSE')).to.match(/is in use/);
  });
});
