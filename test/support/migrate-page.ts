import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** A table of Markdown: its cells as they are written, `\|` read as `|`. */
export interface PageTable {
  head: string[];
  rows: string[][];
}

/** Returns the text of a file of the repository. */
export function readRepository(path: string): string {
  return readFileSync(fileURLToPath(new URL(`../../${path}`, import.meta.url)), 'utf8');
}

/** The page for those who come from other collectors. */
export const MIGRATE_PAGE = readRepository('docs/migrate.md');

/** Returns the tables of a page, in order. */
export function tablesOf(page: string): PageTable[] {
  const tables: PageTable[] = [];
  let open: PageTable | undefined;
  for (const line of page.split('\n')) {
    if (!line.startsWith('|')) open = undefined;
    else if (open === undefined) tables.push((open = { head: cellsOf(line), rows: [] }));
    else if (!line.startsWith('|---')) open.rows.push(cellsOf(line));
  }
  return tables;
}

/** Returns what stands in a page's fences of a language, without their indentation. */
export function fencesOf(page: string, language: string): string[] {
  const fences = page.matchAll(/^( *)```(\w+)\n(.*?)^ *```$/gms);
  return [...fences].flatMap(([, indent = '', of, text = '']) => {
    if (of !== language) return [];
    return [text.replaceAll(new RegExp(`^${indent}`, 'gm'), '')];
  });
}

/** Returns the commands for a shell, one a line. */
export function commandsOf(page: string): string[] {
  return fencesOf(page, 'sh').flatMap((text) => text.trimEnd().split('\n'));
}

/** Returns a command's words as a shell would give them: single quotes are all that it knows. */
export function wordsOf(command: string): string[] {
  return (command.match(/(?:[^\s']|'[^']*')+/g) ?? []).map((word) => word.replaceAll("'", ''));
}

/** Returns what stands in backticks. */
export function codeOf(text: string): string[] {
  return [...text.matchAll(/`([^`]+)`/g)].map(([, code]) => code!);
}

/** Returns the questions to Prometheus: the last cells of tables that are headed so. */
export function questionsOf(page: string): string[] {
  const asked = tablesOf(page).filter(({ head }) => head.at(-1) === 'PromQL');
  return asked.flatMap(({ rows }) => rows.flatMap((row) => codeOf(row.at(-1)!)));
}

function cellsOf(line: string): string[] {
  const cells = line.split(/(?<!\\)\|/).slice(1, -1);
  return cells.map((cell) => cell.trim().replaceAll(String.raw`\|`, '|'));
}
