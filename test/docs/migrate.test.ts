import { expect } from 'chai';
import { describe, it } from 'mocha';

import { createRoutes, type RouteSources } from '../../src/http/routes.ts';
import type { Given } from '../../src/options.ts';
import { readOptions } from '../../src/options.ts';
import { OPTION_SPECS } from '../../src/option-specs.ts';
import { codeOf, commandsOf, MIGRATE_PAGE, readRepository } from '../support/migrate-page.ts';
import { tablesOf, wordsOf } from '../support/migrate-page.ts';
import { AROUND } from '../support/options.ts';

/** `--admin` is one that the page may name, whether this version has it or not. */
const LISTEN_FLAGS = new Set([...OPTION_SPECS.map(({ flag }) => flag), '--admin']);
/** What this is about a user of another collector has a setting for. */
const COMPARABLE = /host|port|tcp|unix|admin|http|tag|names|max|threads|interval|log-level/;

/**
 * Returns the settings that such a file documents: in its comment, names at the beginning of a line
 * and a colon, those of a section further in; and those that it sets. What can be set for one of
 * several servers can be set for the only one.
 */
function settingsIn(file: string): string[] {
  const [, comment = '', code = ''] = /\/\*(.*?)\*\/(.*)/s.exec(readRepository(file))!;
  let section = '';
  const names = new Set([...code.matchAll(/^[{,] (\w+):/gm)].map(([, name]) => name!));
  for (const [, indent = '', name = ''] of comment.matchAll(/^( {2,5})(\w+):\s/gm)) {
    if (indent.length === 2) section = name;
    names.add(indent.length === 2 ? name : `${section}.${name}`);
    if (section === 'servers' && indent.length > 2 && !name.startsWith('s')) names.add(name);
  }
  return [...names];
}

const CONFIG = 'node_modules/statsd/exampleConfig.js';
const PROXY_CONFIG = 'node_modules/statsd/exampleProxyConfig.js';

describe('docs/migrate.md', () => {
  const tables = tablesOf(MIGRATE_PAGE);
  /** All but the first cells of tables, in which the others' words stand. */
  const ours = MIGRATE_PAGE.replaceAll(/^\|(?:[^|\\]|\\.)*\|/gm, '|');
  const ofStatsd = tables.find(({ head }) => head[0] === 'config.js')!;
  const theirs = new Set(ofStatsd.rows.flatMap(([names]) => codeOf(names!)));

  it('names no flag that there is not', () => {
    const ofCommands = readRepository('src/cli.ts').matchAll(/'(--[a-z-]+)[ ']/g);
    const known = new Set([...LISTEN_FLAGS, ...[...ofCommands].map(([, flag]) => flag!)]);
    const named = [...ours.matchAll(/--[a-z][a-z.-]*/g)].map(([flag]) => flag);
    expect(named).to.include.members(['--host', '--tags', '--admin', '--json']);
    // Those of statsd_exporter have a dot, but for two, which stand in first cells alone.
    expect(named.filter((flag) => !flag.includes('.') && !known.has(flag))).to.deep.equal([]);
  });

  it('names every flag that others have a setting for', () => {
    const flags = [...LISTEN_FLAGS].filter((flag) => COMPARABLE.test(flag));
    expect(flags).to.include.members(['--unix-mode', '--tag-sets-per-name', '--admin']);
    expect(flags.filter((flag) => !new RegExp(`${flag}(?![a-z-])`).test(ours))).to.deep.equal([]);
  });

  it('names no route that there is not', () => {
    const routes = createRoutes({} as RouteSources).map(({ path }) => path);
    const others = ['/api/stream', '/api/heatmap/<name>'];
    const named = [...ours.matchAll(/(?<=[`\d])\/(?:api\/|metrics|healthz)[\w/<>]*/g)].map(String);
    expect(named).to.include.members(['/metrics', '/healthz', '/api/vitals']);
    const unknown = named.filter((path) => ![...routes, ...others, '/api/'].includes(path));
    expect(unknown).to.deep.equal([]);
  });

  it('has a row for every setting of statsd', () => {
    const settings = settingsIn(CONFIG);
    expect(settings).to.include.members(['port', 'servers.socket_mod', 'keyFlush.percent']);
    // A section is there where its settings are.
    const isThere = (name: string): boolean => {
      return theirs.has(name) || settings.some((one) => one.startsWith(`${name}.`));
    };
    expect(settings.filter((name) => !isThere(name))).to.deep.equal([]);
  });

  it('and no row for what is none', () => {
    const known = [...settingsIn(CONFIG), ...namesOf(PROXY_CONFIG)];
    expect([...theirs].filter((name) => !known.includes(name))).to.deep.equal([]);
  });

  it("has every setting of statsd's proxy", () => {
    const [row] = ofStatsd.rows.filter(([names]) => names!.startsWith('proxyConfig.js'));
    expect(codeOf(row![0]!)).to.include.members(namesOf(PROXY_CONFIG));
  });

  function namesOf(file: string): string[] {
    return settingsIn(file).map((name) => name.split('.').at(-1)!);
  }

  it('says something of every setting', () => {
    for (const { head, rows } of tables) {
      for (const row of rows) {
        expect(row, row[0]).to.have.length(head.length);
        expect(row[1], row[0]).not.to.equal('');
      }
    }
  });

  it('has commands that statcol takes', () => {
    const commands = commandsOf(MIGRATE_PAGE).map(wordsOf);
    const listening = commands.filter((words) => words[0] === 'statcol' && words[1] === 'listen');
    expect(listening).to.have.length(6);
    for (const words of listening) {
      const options = readOptions(givenBy(words.slice(2)), AROUND);
      expect(options.redis, words.join(' ')).to.equal('redis://127.0.0.1:6379');
    }
    const names = commands.map(([name]) => name);
    expect(new Set(names)).to.deep.equal(new Set(['statcol', 'curl', 'export']));
  });

  /** Each flag with its value, as the command line gives them. */
  function givenBy(words: string[]): Record<string, Given> {
    const given: Record<string, Given> = {};
    for (let at = 0; at < words.length; at += 2) {
      const spec = OPTION_SPECS.find(({ flag }) => flag === words[at]);
      expect(spec, words[at]).to.not.equal(undefined);
      given[spec!.key] = { value: words[at + 1], from: words[at]! };
    }
    return given;
  }

  it('leads only to headings that there are', () => {
    const slugs = (text: string): string[] => {
      return [...text.matchAll(/^#+ (.+)$/gm)].map(([, heading]) => {
        return heading!
          .toLowerCase()
          .replaceAll(/[^\w -]/g, '')
          .replaceAll(' ', '-');
      });
    };
    const links = [...MIGRATE_PAGE.matchAll(/\]\((?:\.\.\/(\w+\.md))?#([^)]+)\)/g)];
    expect(links).to.have.length.above(10);
    for (const [, file, slug] of links) {
      const text = file === undefined ? MIGRATE_PAGE : readRepository(file);
      expect(slugs(text), `${file}#${slug}`).to.include(slug);
    }
  });
});
