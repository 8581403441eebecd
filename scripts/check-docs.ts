// Checks that what is written agrees with the code: a docstring on everything exported, the
// README's options, METRICS.md's reasons and numbers, ARCHITECTURE.md's code map, and links to files.
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

import { OPTION_SPECS } from '../src/option-specs.ts';
import { REJECT_REASONS } from '../src/protocol/reasons.ts';

const faults: string[] = [];
const sources = execFileSync('git', ['ls-files', '-co', '--exclude-standard', 'src'])
  .toString()
  .split('\n')
  .filter((file) => file.endsWith('.ts') && existsSync(file));

for (const file of sources) checkDocstrings(file);
checkOptions(read('README.md'));
checkMetrics(read('METRICS.md'));
checkCodeMap(read('ARCHITECTURE.md'));
const PAGES = ['README.md', 'ARCHITECTURE.md', 'METRICS.md', 'CHANGELOG.md', 'docs/migrate.md'];
for (const page of PAGES) checkLinks(page);
for (const fault of faults) process.stderr.write(`check-docs: ${fault}\n`);
process.exitCode = faults.length > 0 ? 1 : 0;

function read(file: string): string {
  return readFileSync(file, 'utf8');
}

function checkDocstrings(file: string): void {
  const lines = read(file).split('\n');
  for (const [at, line] of lines.entries()) {
    const name = /^export (?:async )?(?:function|const|class|interface|type) (\w+)/.exec(line)?.[1];
    if (name === undefined || lines[at - 1]?.trimEnd().endsWith('*/') === true) continue;
    faults.push(`${file}:${at + 1}: ${name} is exported and has no docstring`);
  }
}

/** The table's first two columns are those of the code: `--port <n>` and its default. */
function checkOptions(readme: string): void {
  const rows = [...readme.matchAll(/^\| `(--[^`]+)` \| ([^|]+) \|/gm)].map(([, flag, fallback]) => {
    return `${flag!.replaceAll(String.raw`\|`, '|')} = ${fallback!.replaceAll('`', '').trim()}`;
  });
  const wanted = OPTION_SPECS.map(({ flag, argument, shownDefault }) => {
    return `${flag} <${argument}> = ${shownDefault}`;
  });
  for (const row of wanted) if (!rows.includes(row)) faults.push(`README.md lacks: ${row}`);
  for (const row of rows)
    if (!wanted.includes(row)) faults.push(`README.md has, the code not: ${row}`);
}

function checkMetrics(metrics: string): void {
  for (const reason of REJECT_REASONS) {
    if (!metrics.includes(`| \`${reason}\` |`))
      faults.push(`METRICS.md lacks the reason ${reason}`);
  }
  const shape = /export interface Vitals \{(.*?)\n\}/s.exec(read('src/vitals-types.ts'))?.[1] ?? '';
  for (const [, name] of shape.matchAll(/(\w+)\??:/g)) {
    if (!metrics.includes(name!)) faults.push(`METRICS.md lacks ${name}`);
  }
}

function checkCodeMap(architecture: string): void {
  for (const file of sources) {
    if (!architecture.includes(`\`${file}\``)) faults.push(`ARCHITECTURE.md does not map ${file}`);
  }
  for (const [, file] of architecture.matchAll(/`((?:src|bin|scripts|test)\/[\w./-]+)`/g)) {
    if (!existsSync(file!)) faults.push(`ARCHITECTURE.md maps ${file}, which is not there`);
  }
}

function checkLinks(page: string): void {
  for (const [, target] of read(page).matchAll(/\]\((?!https?:|#)([^)#]+)/g)) {
    if (!existsSync(join(dirname(page), target!))) faults.push(`${page}: no file ${target}`);
  }
}
