import type { Socket } from 'node:net'
import type { TLSSocket } from 'node:tls'
import type { Clock } from '../../contracts/clock.ts'
import { type Finding, ok, problem, warning } from '../doctor/finding.ts'
import { milliseconds } from '../text.ts'
import { certificateText, checkCertificate } from './certificate.ts'
import { Connection } from './connection.ts'
import { faultOf } from './fault.ts'
import { logIn } from './log-in.ts'
import { addressesOf, openPlain, openTls } from './open-socket.ts'
import { speaksPlainly, speaksTls } from './other-protocol.ts'
import { type Route, UNUSABLE } from './route.ts'

export interface Reached {
  /** Present: connected, trusted, logged in. */
  readonly connection?: Connection
  readonly findings: readonly Finding[]
}

/** Name, connection, TLS, login: as far as it gets, and what stopped it. Never rejects. */
export async function reach(route: Route, clock: Clock): Promise<Reached> {
  const findings: Finding[] = []
  const done: string[] = []
  try {
    const connection = await walk(route, clock, findings, done)
    if (!connection) return { findings }
    return { connection, findings: [ok('connection', done.join(', ')), ...findings] }
  } catch (error) {
    const { what, fix } = faultOf(error)
    return { findings: [...findings, problem('connection', what, UNUSABLE, fix)] }
  }
}

async function walk(
  route: Route,
  clock: Clock,
  findings: Finding[],
  done: string[],
): Promise<Connection | undefined> {
  const { endpoint, tls } = route
  const addresses = await addressesOf(endpoint.host, clock)
  const { socket, address, ms } = await firstOf(addresses, endpoint.port, clock, findings)
  const named = address === endpoint.host ? '' : ` to ${address}`
  done.push(`connected${named} in ${milliseconds(ms)}`)
  let stream: Socket = socket
  if (tls) {
    const secure = await shakeHands(socket, address, route, clock, findings)
    if (!secure) return undefined
    done.push(`${secure.getProtocol() ?? 'TLS'}, ${certificateText(secure)}`)
    stream = secure
  }
  const connection = new Connection(stream, clock)
  try {
    const login = await logIn(connection, route)
    findings.push(...login.findings)
    if (!login.isIn) {
      connection.close()
      return undefined
    }
    done.push(login.text)
    return connection
  } catch (error) {
    connection.close()
    if (tls || !(await speaksTls(address, endpoint, clock))) throw error
    findings.push(
      problem(
        'tls',
        'The port speaks TLS, and it was spoken to without',
        UNUSABLE,
        'Write rediss:// instead of redis://, or add --tls (REDIS_TLS=true, tls: true).',
      ),
    )
    return undefined
  }
}

/** In the order of the system; what does not answer costs its time-out, so it is told. */
async function firstOf(
  addresses: readonly string[],
  port: number,
  clock: Clock,
  findings: Finding[],
): Promise<{ socket: Socket; address: string; ms: number }> {
  let last: unknown = Object.assign(new Error('no address'), { code: 'ENOTFOUND' })
  const failed: Finding[] = []
  for (const address of addresses) {
    const from = clock.now()
    try {
      const socket = await openPlain(address, port, clock)
      findings.push(...failed)
      return { socket, address, ms: clock.now() - from }
    } catch (error) {
      last = error
      failed.push(
        warning(
          'address',
          `Of the addresses of this name ${address} cannot be reached: ${faultOf(error).what}`,
          'A new connection may try it first, and takes longer or fails.',
          'Take it out of the DNS, or make the server listen there too.',
        ),
      )
    }
  }
  throw last
}

async function shakeHands(
  socket: Socket,
  address: string,
  { endpoint, tls = {} }: Route,
  clock: Clock,
  findings: Finding[],
): Promise<TLSSocket | undefined> {
  let secure: TLSSocket
  try {
    secure = await openTls(socket, endpoint, tls, clock)
  } catch (error) {
    if (!(await speaksPlainly(address, endpoint.port, clock))) throw error
    findings.push(
      problem(
        'tls',
        'The port speaks Redis without TLS, and TLS was asked for',
        UNUSABLE,
        'Write redis:// instead of rediss:// and leave --tls out, or give the port for TLS.',
      ),
    )
    return undefined
  }
  const finding = checkCertificate(secure, endpoint.host, clock.wall())
  if (finding) findings.push(finding)
  if (finding?.level !== 'problem') return secure
  secure.destroy()
  return undefined
}
