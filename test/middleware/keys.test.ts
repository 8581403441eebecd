import { expect } from 'chai';
import { describe, it } from 'mocha';
import { createKeys, type Keys, OTHER, UNMATCHED } from '../../src/middleware/keys.ts';

describe('Keys', () => {
  it('are the URIs themselves, each told of once, before it is returned', () => {
    const { keys, told } = createRig(10);
    expect(admitAll(keys, '/b', '/a', '/b')).to.deep.equal(['/b', '/a', '/b']);
    expect(told).to.deep.equal(['/b', '/a']);
    expect([...keys.all()]).to.deep.equal(['/b', '/a']);
  });

  it('beyond the limit are (other), and known ones stay what they are', () => {
    const { keys, told } = createRig(2);
    const admitted = admitAll(keys, '/a', '/b', '/c', '/d', '/a', '/c');
    expect(admitted).to.deep.equal(['/a', '/b', OTHER, OTHER, '/a', OTHER]);
    expect(told).to.deep.equal(['/a', '/b', OTHER]);
  });

  it('leave room for (unmatched) beyond the limit, also behind (other)', () => {
    const { keys } = createRig(1);
    expect(admitAll(keys, '/a', '/b', UNMATCHED, '/c')).to.deep.equal([
      '/a',
      OTHER,
      UNMATCHED,
      OTHER,
    ]);
    expect([...keys.all()]).to.deep.equal(['/a', OTHER, UNMATCHED]);
  });

  it('remember nothing of the URIs that came after the limit', () => {
    const { keys, told } = createRig(3);
    for (let at = 0; at < 1000; at++) keys.admit(`/${at}`, true);
    expect([...keys.all()]).to.deep.equal(['/0', '/1', '/2', OTHER]);
    expect(told).to.have.length(4);
  });

  it('that are too long are (other), by bytes and not by characters', () => {
    const { keys } = createRig(10);
    const table: [uri: string, isKept: boolean][] = [
      ['/'.repeat(400), true],
      ['/'.repeat(401), false],
      ['é'.repeat(200), true],
      ['é'.repeat(201), false],
    ];
    for (const [uri, isKept] of table) {
      expect(keys.admit(uri, true), `${uri.length} characters`).to.equal(isKept ? uri : OTHER);
    }
  });

  it('hold no control characters', () => {
    const { keys, told } = createRig(10);
    expect(admitAll(keys, '/a\n|b', '/\0', '/\u0085', '/ é')).to.deep.equal([
      '/a_|b',
      '/_',
      '/_',
      '/ é',
    ]);
    expect([...keys.all()]).to.deep.equal(['/a_|b', '/_', '/ é']);
    expect(told.slice(0, 2)).to.deep.equal(['/a_|b', '/_']);
  });

  it('that two URIs share are told of once', () => {
    const { keys, told } = createRig(10);
    expect(admitAll(keys, '/a\n', '/a\t', '/a_')).to.deep.equal(['/a_', '/a_', '/a_']);
    expect(told).to.deep.equal(['/a_']);
  });

  it('are any text: those that every object has, and none at all', () => {
    const { keys, told } = createRig(10);
    const uris = ['__proto__', 'constructor', ''];
    expect(admitAll(keys, ...uris)).to.deep.equal(uris);
    expect(told).to.deep.equal(uris);
  });

  it('of paths leave half of the room to routes, however many a client thinks of', () => {
    const { keys, said } = createRig(10);
    for (let at = 0; at < 100; at++) keys.admit(`/path/${at}`, false);
    expect([...keys.all()]).to.have.length(5 + 1);
    expect(keys.admit('/users/:id', true)).to.equal('/users/:id');
    expect(keys.admit('/path/0', false)).to.equal('/path/0');
    expect(said).to.deep.equal([
      'more than 5 paths without a route: further ones are counted as (other); see maxKeys',
    ]);
  });

  it('say once when there are too many', () => {
    const { keys, said } = createRig(2);
    admitAll(keys, '/a', '/b');
    expect(said).to.deep.equal([]);
    admitAll(keys, '/c', '/d', '/e');
    expect(said).to.deep.equal([
      'more than 2 URIs: further ones are counted as (other); see maxKeys',
    ]);
  });

  it('that are (other) by name are told of once', () => {
    const { keys, told } = createRig(1);
    expect(admitAll(keys, OTHER, '/a', '/b')).to.deep.equal([OTHER, OTHER, OTHER]);
    expect(told).to.deep.equal([OTHER]);
  });
});

function createRig(maxKeys: number): { keys: Keys; told: string[]; said: string[] } {
  const [told, said]: [string[], string[]] = [[], []];
  const events = {
    onNew: (key: string) => told.push(key),
    onFull: (why: string) => said.push(why),
  };
  return { keys: createKeys(maxKeys, events), told, said };
}

function admitAll(keys: Keys, ...uris: string[]): string[] {
  return uris.map((uri) => keys.admit(uri, true));
}
