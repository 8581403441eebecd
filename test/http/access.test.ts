import { expect } from 'chai';
import { after, before, describe, it } from 'mocha';
import { ask, type HttpRig, sendRaw, startHttp } from './rig.ts';

const GUARDED = ['/', '/api/vitals', '/api/counters', '/api/timings', '/metrics'];

describe('Access without a token', () => {
  let rig: HttpRig;
  before(async () => (rig = await startHttp()));
  after(() => rig.server.close());

  for (const host of [
    'localhost',
    'localhost:8127',
    'LocalHost:80',
    '127.0.0.1',
    '127.0.0.1:8127',
    '127.9.8.7:1',
    '[::1]',
    '[::1]:8127',
  ]) {
    it(`is given to ${host}`, async () => {
      for (const path of GUARDED) {
        expect((await ask(rig, path, { headers: { host } })).status, path).to.equal(200);
      }
    });
  }

  for (const host of [
    'example.com',
    'localhost.example.com',
    'example.com:8127',
    '127.0.0.1.example.com',
    '127.0.0.1.nip.io:80',
    'evil-localhost',
    '192.168.0.1',
    '128.0.0.1',
    '127.0.0.1:80:80',
    '127.0.0.1@evil.com',
    '0.0.0.0',
    '[::2]',
    '[::ffff:10.0.0.1]',
  ]) {
    it(`is not given to ${JSON.stringify(host)}: 403 and what to do`, async () => {
      for (const path of GUARDED) {
        const { status, body } = await ask(rig, path, { headers: { host } });
        expect(status, path).to.equal(403);
        expect((JSON.parse(body) as { error: string }).error).to.include('--http-token');
      }
    });
  }

  it('is not given to an empty Host, nor to HTTP/1.0 without one', async () => {
    for (const head of ['1.1\r\nHost:\r\nConnection: close', '1.0']) {
      expect(await sendRaw(rig, `GET / HTTP/${head}\r\n\r\n`)).to.match(/^HTTP\/1\.1 403 /);
    }
  });

  it('is not asked for on /healthz', async () => {
    const reply = await ask(rig, '/healthz', { headers: { host: 'balancer.example.com' } });
    expect(reply.status).to.equal(200);
  });

  it('is asked for before the method is looked at', async () => {
    const headers = { host: 'example.com' };
    expect((await ask(rig, '/api/vitals', { method: 'PUT', headers })).status).to.equal(403);
  });
});

for (const token of ['simple-token', 'A9-._~+/==', 'a+b/c=d~e']) {
  describe(`Access with the token ${token}`, () => {
    let rig: HttpRig;
    before(async () => (rig = await startHttp(token)));
    after(() => rig.server.close());

    it('is refused without it: 401 and how to send it', async () => {
      for (const path of [...GUARDED, '/?token=wrong', '/?token=', '/?Token=x']) {
        const { status, headers, body } = await ask(rig, path);
        expect([status, headers['www-authenticate']], path).to.deep.equal([401, 'Bearer']);
        expect(body).to.not.include(token);
        expect((JSON.parse(body) as { error: string }).error).to.include('Bearer <token>');
      }
    });

    it('is given for the Bearer, under any host', async () => {
      for (const path of GUARDED) {
        for (const scheme of ['Bearer ', 'bearer ', 'Bearer   ']) {
          const headers = { authorization: scheme + token, host: 'stats.example.com' };
          expect((await ask(rig, path, { headers })).status, path).to.equal(200);
        }
      }
    });

    const wrong = [
      `Bearer ${token}x`,
      `Bearer ${token.slice(1)}`,
      `Bearer ${token} ${token}`,
      'Bearer ',
      'Bearer',
      `Basic ${token}`,
      token,
      `xBearer ${token}`,
    ];
    for (const authorization of wrong) {
      it(`is refused for the header ${authorization}`, async () => {
        expect((await ask(rig, '/', { headers: { authorization } })).status).to.equal(401);
      });
    }

    it('is given for the cookie that /?token=… sets', async () => {
      const first = await ask(rig, `/?token=${encodeURIComponent(token)}`);
      expect([first.status, first.headers['location']]).to.deep.equal([303, '/']);
      const [set = ''] = first.headers['set-cookie'] as string[];
      expect(set).to.match(/; HttpOnly; SameSite=Strict; Path=\//);
      const cookie = set.split(';')[0]!;
      for (const path of GUARDED) {
        for (const sent of [cookie, `other=1; ${cookie}`, `${cookie}; z=2`]) {
          expect((await ask(rig, path, { headers: { cookie: sent } })).status, path).to.equal(200);
        }
      }
    });

    it('is set also for the token as it was given to the collector, not encoded', async () => {
      expect((await ask(rig, `/?token=${token}`)).status).to.equal(303);
    });

    it('is refused for cookies that are not it', async () => {
      const wrongCookies = [
        'statcol_token=',
        'statcol_token',
        'statcol_token=wrong',
        'statcol_token=%zz',
        `xstatcol_token=${encodeURIComponent(token)}`,
        `statcol_token=${encodeURIComponent(token)}x`,
        ';;=;',
      ];
      for (const cookie of wrongCookies) {
        expect((await ask(rig, '/', { headers: { cookie } })).status, cookie).to.equal(401);
      }
    });

    it('is set by / alone', async () => {
      const path = `/api/vitals?token=${encodeURIComponent(token)}`;
      const { status, headers } = await ask(rig, path);
      expect([status, headers['set-cookie']]).to.deep.equal([401, undefined]);
    });

    it('is not asked for on /healthz', async () => {
      expect((await ask(rig, '/healthz')).status).to.equal(200);
    });
  });
}
