import { execFile } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { guardedFolder } from './guard.ts'

/** Paths of PEM files: what a server needs, and the authority a client trusts. */
export interface CertificateFiles {
  readonly ca: string
  readonly cert: string
  readonly key: string
}

/** Certificates for `startServer({ tls })`. */
export interface Certificates {
  /** Valid for localhost and 127.0.0.1. */
  readonly good: CertificateFiles
  /** Of the same authority, ended in 2021. */
  readonly expired: CertificateFiles
  /** Of the same authority, for another host. */
  readonly wrongName: CertificateFiles
  /** The certificate of an authority that signed none of them: a client that trusts only it refuses. */
  readonly otherCa: string
}

const run = promisify(execFile)
const HERE = 'DNS:localhost,IP:127.0.0.1'
let made: Promise<Certificates> | undefined

/** Makes them with openssl, once per process. */
export async function makeCertificates(): Promise<Certificates> {
  made ??= make()
  return made
}

async function make(): Promise<Certificates> {
  const folder = guardedFolder('certificates')
  const [ca, other] = await Promise.all([authority(folder, 'ca'), authority(folder, 'other-ca')])
  // One after the other: the authority keeps a list of what it signed.
  const good = await sign(ca, folder, 'good', HERE)
  const expired = await sign(ca, folder, 'expired', HERE, ['20200101000000Z', '20210101000000Z'])
  const wrongName = await sign(ca, folder, 'wrong-name', 'DNS:elsewhere.invalid')
  return { good, expired, wrongName, otherCa: other.cert }
}

async function authority(folder: string, name: string): Promise<{ cert: string; key: string }> {
  const cert = join(folder, `${name}.crt`)
  const key = join(folder, `${name}.key`)
  await openssl(folder, [
    ...['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'],
    ...['-days', '3650', '-subj', `/CN=${name}`, '-keyout', key, '-out', cert],
  ])
  return { cert, key }
}

async function sign(
  ca: { cert: string; key: string },
  folder: string,
  name: string,
  hosts: string,
  [start, end]: readonly [string?, string?] = [],
): Promise<CertificateFiles> {
  const cert = join(folder, `${name}.crt`)
  const key = join(folder, `${name}.key`)
  const request = join(folder, `${name}.csr`)
  const config = join(folder, `${name}.cnf`)
  await openssl(folder, [
    ...['req', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'],
    ...['-subj', `/CN=${name}`, '-keyout', key, '-out', request],
  ])
  writeFileSync(join(folder, 'signed.txt'), '')
  writeFileSync(join(folder, 'serial.txt'), '01')
  writeFileSync(config, configuration(hosts))
  const period = start === undefined ? ['-days', '3650'] : ['-startdate', start]
  // `ca` rather than `x509`: the only one that signs for a time in the past on every version.
  await openssl(folder, [
    ...['ca', '-batch', '-notext', '-config', config, '-rand_serial', '-md', 'sha256'],
    ...['-cert', ca.cert, '-keyfile', ca.key, '-in', request, '-out', cert, ...period],
    ...(end === undefined ? [] : ['-enddate', end]),
  ])
  return { ca: ca.cert, cert, key }
}

function configuration(hosts: string): string {
  return `
[ca]
default_ca = here
[here]
database = signed.txt
serial = serial.txt
new_certs_dir = .
policy = any
x509_extensions = names
[any]
commonName = supplied
[names]
subjectAltName = ${hosts}
`
}

async function openssl(folder: string, args: readonly string[]): Promise<void> {
  await run('openssl', args, { cwd: folder, timeout: 20_000 })
}
