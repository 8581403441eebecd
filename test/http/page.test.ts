import { expect } from 'chai';
import { after, before, describe, it } from 'mocha';

import { ask, type HttpRig, startHttp } from './rig.ts';

describe("The page's files", () => {
  let rig: HttpRig;

  before(async () => {
    rig = await startHttp();
  });
  after(() => rig.server.close());

  it('come with a policy that lets nothing in from elsewhere, and nothing inline', async () => {
    const { status, headers, body } = await ask(rig, '/');
    expect(status).to.equal(200);
    expect(headers['content-type']).to.equal('text/html; charset=utf-8');
    const policy = String(headers['content-security-policy']).split('; ');
    expect(policy).to.include.members([
      "default-src 'none'",
      "script-src 'self'",
      "style-src 'self'",
      "connect-src 'self'",
      "frame-ancestors 'none'",
      "require-trusted-types-for 'script'",
    ]);
    expect(policy.join()).not.to.match(/unsafe|https?:|\*/);
    expect(body).not.to.match(/<script(?![^>]*\bsrc=)|\son\w+=|style=|https?:\/\//);
  });

  it('name no file that is not there', async () => {
    const { body } = await ask(rig, '/');
    const wanted = [...body.matchAll(/(?:src|href)="(assets\/[^"]+)"/g)].map(([, path]) => path!);
    expect(wanted).to.include.members(['assets/uplot.js', 'assets/page/main.js']);
    const seen = new Set<string>();
    for (const path of wanted) {
      const { status, body: text } = await ask(rig, `/${path}`);
      expect(status, path).to.equal(200);
      seen.add(path);
      if (!path.startsWith('assets/page/') || !path.endsWith('.js')) continue;
      // Modules name others: each of those has to be there as well.
      for (const [, other] of text.matchAll(/from '(\.[^']+)'/g)) {
        const next = new URL(other!, `http://x/${path}`).pathname.slice(1);
        if (!seen.has(next) && !wanted.includes(next)) wanted.push(next);
      }
    }
    expect(seen.size).to.be.above(20);
  });

  it('are sent again only where they differ', async () => {
    const first = await ask(rig, '/assets/page/style.css');
    expect(first.headers['cache-control']).to.equal('no-cache');
    const headers = { 'If-None-Match': String(first.headers['etag']) };
    const again = await ask(rig, '/assets/page/style.css', { headers });
    expect([again.status, again.body]).to.deep.equal([304, '']);
    const other = await ask(rig, '/assets/page/main.js', { headers });
    expect(other.status).to.equal(200);
  });

  it('are zipped for who can read that', async () => {
    const plain = await ask(rig, '/assets/page/style.css');
    const response = await fetch(`${rig.url}assets/page/style.css`, {
      headers: { 'Accept-Encoding': 'br, gzip' },
    });
    expect(response.headers.get('content-encoding')).to.equal('gzip');
    expect(Number(response.headers.get('content-length'))).to.be.below(plain.body.length / 2);
    expect(await response.text()).to.equal(plain.body);
  });

  for (const path of [
    '/assets/',
    '/assets/page/nothing.js',
    '/assets/../package.json',
    '/assets/..%2f..%2fpackage.json',
    '/assets/%2e%2e/cli.js',
    '/assets/page',
    '/assets/page/main.js/',
    '/assets//etc/passwd',
    '/assets/page/main.js%00.css',
  ]) {
    it(`hold nothing at ${path}`, async () => {
      const { status, body } = await ask(rig, path);
      expect(status).to.equal(404);
      expect(JSON.parse(body)).to.have.property('error');
    });
  }

  it('ask for token and host as all else does', async () => {
    const guarded = await startHttp('secret-token');
    try {
      for (const path of ['/', '/assets/page/main.js', '/assets/uplot.js']) {
        expect((await ask(guarded, path)).status, path).to.equal(401);
        const headers = { Cookie: 'statcol_token=secret-token' };
        expect((await ask(guarded, path, { headers })).status, path).to.equal(200);
        expect((await ask(rig, path, { headers: { Host: 'evil.example' } })).status).to.equal(403);
      }
    } finally {
      await guarded.server.close();
    }
  });
});
