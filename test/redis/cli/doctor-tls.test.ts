import { beforeAll, describe, expect, it } from 'vitest'
import {
  type CertificateFiles,
  type Certificates,
  makeCertificates,
} from '../servers/certificates.ts'
import type { RedisProcess } from '../servers/redis-process.ts'
import { startServer } from '../servers/server.ts'
import { diagnose, SECRET } from './run-cli.ts'

describe('doctor over TLS', () => {
  let certificates: Certificates

  beforeAll(async () => {
    certificates = await makeCertificates()
  })

  async function withServer(
    tls: CertificateFiles | undefined,
    look: (server: RedisProcess, ca: string) => Promise<void>,
  ): Promise<void> {
    const server = await startServer({ requirepass: SECRET, ...(tls && { tls }) })
    try {
      await look(server, certificates.good.ca)
    } finally {
      await server.stop()
    }
  }

  it('shows the certificate of a server that it trusts', () =>
    withServer(certificates.good, async ({ url }, ca) => {
      const found = await diagnose([url, '--tls-ca', ca])
      expect(found.at('problem')).toEqual([])
      expect(found.of('connection')[0]).toMatch(
        /TLSv1\.\d, certificate CN=good valid until 20\d\d-/,
      )
    }))

  it('refuses an authority that it was not given', () =>
    withServer(certificates.good, async ({ url }) => {
      for (const args of [[], ['--tls-ca', certificates.otherCa]]) {
        const found = await diagnose([url, ...args])
        expect(found.of('certificate')[0]).toMatch(/^problem: .*CN=good is not trusted/)
        expect(found.code).toBe(1)
      }
    }))

  it('says when a certificate expired', () =>
    withServer(certificates.expired, async ({ url }, ca) => {
      const found = await diagnose([url, '--tls-ca', ca])
      expect(found.of('certificate')[0]).toMatch(/CN=expired has expired on 2021-01-01/)
    }))

  it('says for which name a certificate is', () =>
    withServer(certificates.wrongName, async ({ url }, ca) => {
      const found = await diagnose([url, '--tls-ca', ca])
      expect(found.of('certificate')[0]).toContain('is for elsewhere.invalid, not for 127.0.0.1')
      const named = await diagnose([url, '--tls-ca', ca, '--tls-servername', 'elsewhere.invalid'])
      expect(named.at('problem')).toEqual([])
    }))

  it('finds out that a port speaks TLS, and that it does not', async () => {
    await withServer(certificates.good, async ({ port }) => {
      const url = `redis://:${encodeURIComponent(SECRET)}@127.0.0.1:${port}`
      expect((await diagnose([url])).of('tls')).toEqual([
        'problem: The port speaks TLS, and it was spoken to without',
      ])
    })
    await withServer(undefined, async ({ port }) => {
      const found = await diagnose([`127.0.0.1:${port}`, '--tls', '--password', SECRET])
      expect(found.of('tls')).toEqual([
        'problem: The port speaks Redis without TLS, and TLS was asked for',
      ])
    })
  })
})
