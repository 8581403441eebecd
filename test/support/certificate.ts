import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** Makes a CA and a certificate signed by it, with openssl; returns what a server needs. The
 * CA's certificate is then `ca.pem` in the folder. */
export function makeCertificate(folder: string, name: string): { key: string; cert: string } {
  const openssl = (...args: string[]): void => {
    execFileSync('openssl', args, { cwd: folder, stdio: 'ignore' });
  };
  const newKey = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
  openssl('req', '-x509', ...newKey, '-keyout', 'ca.key', '-out', 'ca.pem', '-subj', '/CN=test CA');
  openssl('req', ...newKey, '-keyout', 'key.pem', '-out', 'request.pem', '-subj', `/CN=${name}`);
  writeFileSync(join(folder, 'extensions'), `subjectAltName=DNS:${name}\n`);
  const by = ['-CA', 'ca.pem', '-CAkey', 'ca.key', '-CAcreateserial', '-extfile', 'extensions'];
  openssl('x509', '-req', '-in', 'request.pem', ...by, '-out', 'cert.pem', '-days', '2');
  const read = (file: string): string => readFileSync(join(folder, file), 'utf8');
  return { key: read('key.pem'), cert: read('cert.pem') };
}
