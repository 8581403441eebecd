// Builds `dist`: the program, and the page with what belongs to it. Has no dependencies but the
// compiler.
import { spawnSync } from 'node:child_process';
import { copyFileSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const COMPILER = join(root, 'node_modules/typescript/bin/tsc');
/** What of the page is not compiled. */
const PAGE_FILES = ['index.html', 'style.css', 'icon.svg'];

for (const project of ['src', 'src/page']) {
  const { status } = spawnSync(process.execPath, [COMPILER, '-p', join(root, project)], {
    stdio: ['ignore', 2, 2],
  });
  if (status !== 0) process.exit(1);
}
const target = join(root, 'dist/web/page');
mkdirSync(target, { recursive: true });
for (const file of PAGE_FILES) copyFileSync(join(root, 'src/page', file), join(target, file));
