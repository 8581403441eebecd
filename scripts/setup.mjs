// Makes a fresh clone ready: dependencies, build, and (`test`) the programs that tests talk to.
// Runs before there are any dependencies, so it has none. Speaks on stderr only.
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const NODE_MIN = [20, 19];

/** What the tests talk to: how to see whether it is there, and Debian's package that has it. */
const PROGRAMS = [
  { check: ['redis-server', '--version'], package: 'redis-server' },
  { check: ['/usr/bin/python3', '-c', 'import statsd'], package: 'python3-statsd' },
  { check: ['/usr/bin/python3', '-c', 'import aiodogstatsd'], package: 'python3-aiodogstatsd' },
  { check: ['/usr/bin/ruby', '-rstatsd', '-e', 'Statsd::Batch'], package: 'ruby-statsd' },
  { check: ['/usr/bin/perl', '-MNet::Statsd', '-e', '1'], package: 'libnet-statsd-perl' },
  { check: ['openssl', 'version'], package: 'openssl' },
  { check: ['promtool', '--version'], package: 'prometheus' },
  { check: ['chromium', '--version'], package: 'chromium' },
];

/** @param {'start' | 'test'} purpose */
export function setUp(purpose) {
  checkNode();
  install();
  build();
  if (purpose === 'test') providePrograms();
}

function checkNode() {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
  if (major > NODE_MIN[0] || (major === NODE_MIN[0] && minor >= NODE_MIN[1])) return;
  stop(
    `expected Node ${NODE_MIN.join('.')} or newer, got ${process.versions.node}: install a newer one`,
  );
}

function install() {
  const installed = join(root, 'node_modules/.package-lock.json');
  if (timeOf(installed) >= timeOf(join(root, 'package-lock.json'))) return;
  say('installing dependencies');
  // Not `npm ci`: it insists on the linter's binaries for every other platform being in the lock.
  const args = ['install', '--no-save', '--no-audit', '--no-fund'];
  run('npm', args, 'npm could not install the dependencies');
}

function build() {
  const newest = Math.max(
    ...files(join(root, 'src')).map(timeOf),
    timeOf(join(root, 'tsconfig.json')),
  );
  const built = join(root, 'node_modules/.statcol-built');
  if (timeOf(built) >= newest && existsSync(join(root, 'dist/web/page/index.html'))) return;
  say('building');
  run(process.execPath, [join(root, 'scripts/build.mjs')], 'the sources do not compile');
  writeFileSync(built, '');
}

function providePrograms() {
  const missing = PROGRAMS.filter(({ check: [program = '', ...args] }) => {
    return spawnSync(program, args, { stdio: 'ignore' }).status !== 0;
  });
  if (missing.length === 0) return;
  if (process.getuid?.() === 0 && existsSync('/usr/bin/apt-get')) {
    aptInstall(missing.map((one) => one.package));
    return;
  }
  for (const one of missing) {
    say(
      `missing ${one.package}: on Debian or Ubuntu, apt-get install --no-install-recommends ${one.package}`,
    );
  }
  process.exit(1);
}

/** Without recommends, and with their services kept from starting. */
function aptInstall(packages) {
  say(`installing ${packages.join(', ')}`);
  const policy = '/usr/sbin/policy-rc.d';
  const ours = !existsSync(policy);
  if (ours) writeFileSync(policy, '#!/bin/sh\nexit 101\n', { mode: 0o755 });
  try {
    const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
    run('apt-get', ['update', '-qq'], 'apt-get could not read its lists', env);
    const args = ['install', '-y', '-qq', '--no-install-recommends', ...packages];
    run('apt-get', args, `apt-get could not install ${packages.join(', ')}`, env);
  } finally {
    if (ours) rmSync(policy);
  }
}

function run(program, args, fault, env = process.env) {
  const windows = process.platform === 'win32';
  const { status } = spawnSync(program, args, {
    cwd: root,
    env,
    stdio: ['ignore', 2, 2],
    shell: windows,
  });
  if (status !== 0) stop(fault);
}

function files(folder) {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath ?? entry.path, entry.name));
}

/** 0 for what is not there. */
function timeOf(path) {
  return statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0;
}

function say(text) {
  process.stderr.write(`setup: ${text}\n`);
}

function stop(text) {
  say(text);
  process.exit(1);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  setUp(process.argv[2] === 'test' ? 'test' : 'start');
}
