import { byId, element, setText } from './dom.ts';

/** What is to be seen as long as nothing has come. */
export interface FirstRun {
  /** Shows where the collector listens, in lines to be pasted; `isNeeded` false takes it away. */
  update(udp: string, isNeeded: boolean): void;
}

interface Example {
  language: string;
  code: (host: string, port: number) => string;
}

const EXAMPLES: readonly Example[] = [
  {
    language: 'bash',
    code: (host, port) => `echo -n 'demo.hits:1|c' > /dev/udp/${host}/${port}`,
  },
  {
    language: 'Python',
    code: (host, port) =>
      `import socket; socket.socket(${host.includes(':') ? 'socket.AF_INET6' : 'socket.AF_INET'}, socket.SOCK_DGRAM).sendto(b'demo.latency:320|ms', ('${host}', ${port}))`,
  },
  {
    language: 'Node',
    code: (host, port) =>
      `const s = require('dgram').createSocket('${host.includes(':') ? 'udp6' : 'udp4'}'); s.send('demo.latency:320|ms', ${port}, '${host}', () => s.close())`,
  },
  {
    language: 'Go',
    code: (host, port) =>
      `c, _ := net.Dial("udp", net.JoinHostPort("${host}", "${port}")); c.Write([]byte("demo.hits:1|c")); c.Close()`,
  },
];

/** Creates it. */
export function createFirstRun(): FirstRun {
  const root = byId('first-run');
  const lines = byId('first-run-lines');
  let shown = '';

  return {
    update(udp, isNeeded) {
      root.hidden = !isNeeded;
      if (!isNeeded || udp === shown) return;
      shown = udp;
      const { host, port } = placeOf(udp);
      setText(byId('first-run-place'), udp);
      lines.replaceChildren(
        ...EXAMPLES.flatMap((one) => exampleElements(one.language, one.code(host, port))),
      );
    },
  };
}

/** A collector that listens everywhere is reached where the page is. */
function placeOf(udp: string): { host: string; port: number } {
  const { hostname, port } = new URL(udp.replace(/^udp:/, 'http:'));
  const isEverywhere = hostname === '0.0.0.0' || hostname === '[::]';
  const host = (isEverywhere ? location.hostname : hostname).replaceAll(/[[\]]/g, '');
  return { host, port: Number(port) };
}

function exampleElements(language: string, code: string): HTMLElement[] {
  const copy = element('button', { type: 'button', class: 'quiet' }, 'Copy');
  copy.setAttribute('aria-label', `Copy the line for ${language}`);
  copy.addEventListener('click', () => {
    void navigator.clipboard?.writeText(code).then(
      () => setText(copy, 'Copied'),
      () => setText(copy, 'Select it instead'),
    );
  });
  const line = element('dd', {}, element('code', {}, code), copy);
  return [element('dt', {}, language), line];
}
