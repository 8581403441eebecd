// Checks what the linter cannot: how long functions and lines are, and words that must not be.
// A function's own lines are counted, without those of the functions inside it: a factory may be
// long if all its parts are short. Relies on prettier's indentation.
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';

const FUNCTION_LINES_MAX = 70;
const LINE_COLUMNS_MAX = 100;
const FILE_LINES_MAX = 300;
const FUNCTION_START =
  /^(\s*)(?:export )?(?:(?:async )?function\b.*|(?:async |static |get |set )*[#\w]+\([^;]*\)(?:: [^=;]+)? |.*=> )\{$/;
const FORBIDDEN = [/\bTO[D]O\b/, /\bFIX[M]E\b/, /\bX[X]X\b/, /\.(?:only|skip)\(/, /\bthis\.skip\b/];

const faults: string[] = [];
const tracked = execFileSync('git', [
  'ls-files',
  '-co',
  '--exclude-standard',
  'src',
  'test',
  'scripts',
  'bin',
  'examples',
])
  .toString()
  .split('\n')
  .filter((file) => /\.(ts|mjs|js)$/.test(file) && existsSync(file));
for (const file of tracked) checkFile(file, readFileSync(file, 'utf8').split('\n'));
for (const fault of faults) process.stderr.write(`tidy: ${fault}\n`);
process.exitCode = faults.length > 0 ? 1 : 0;

function checkFile(file: string, lines: string[]): void {
  if (lines.length > FILE_LINES_MAX + 1) faults.push(`${file}: ${lines.length - 1} lines`);
  for (const [at, line] of lines.entries()) {
    const where = `${file}:${at + 1}`;
    if (line.length > LINE_COLUMNS_MAX && !/https?:|'.{60,}'|`.{40,}`|"|\/.{60,}\//.test(line)) {
      faults.push(`${where}: ${line.length} columns`);
    }
    for (const word of FORBIDDEN) {
      if (word.test(line) && file !== 'scripts/tidy.ts') faults.push(`${where}: ${String(word)}`);
    }
  }
  if (file.startsWith('src/')) checkFunctions(file, lines);
}

function checkFunctions(file: string, lines: string[]): void {
  // Per open function: the indentation that ends it, where it began, and lines of those inside.
  const open: { indent: string; from: number; inner: number }[] = [];
  for (const [at, line] of lines.entries()) {
    const last = open.at(-1);
    if (last !== undefined && new RegExp(`^${last.indent}\\}`).test(line)) {
      open.pop();
      const whole = at - last.from + 1;
      const own = whole - last.inner;
      if (own > FUNCTION_LINES_MAX)
        faults.push(`${file}:${last.from + 1}: ${own} lines of its own`);
      const outer = open.at(-1);
      if (outer !== undefined) outer.inner += whole;
    }
    const start = FUNCTION_START.exec(line);
    if (start !== null && !/^\s*(if|for|while|switch|catch|else|do)\b/.test(line)) {
      open.push({ indent: start[1]!, from: at, inner: 0 });
    }
  }
}
