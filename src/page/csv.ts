import { csvText } from './csv-text.ts';
import { element } from './dom.ts';

/** Has the browser save a table as a CSV file. */
export function saveCsv(title: string, table: readonly (readonly (string | number)[])[]): void {
  const url = URL.createObjectURL(new Blob([csvText(table)], { type: 'text/csv;charset=utf-8' }));
  const name = title.replaceAll(/[^A-Za-z0-9_.-]+/g, '_').slice(0, 100);
  element('a', { href: url, download: `${name}.csv` }).click();
  setTimeout(() => URL.revokeObjectURL(url), 60_000); // by then it is on the disk
}
