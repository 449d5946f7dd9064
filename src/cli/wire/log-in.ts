import type { Command } from '../../adapters/redis/transport.ts'
import { type Finding, problem, warning } from '../doctor/finding.ts'
import type { Connection } from './connection.ts'
import { faultOf, kindOfReply } from './fault.ts'
import type { Route } from './route.ts'

interface Login {
  readonly isIn: boolean
  /** `logged in as cache`. */
  readonly text: string
  readonly findings: readonly Finding[]
}

const REFUSED = 'The library cannot log in; the cache goes on without Redis.'
const NO_PASSWORD = /no password is set|without any password configured/i

/** @throws when the connection is lost */
export async function logIn(
  connection: Connection,
  { credentials: { username, password }, db }: Route,
): Promise<Login> {
  const findings: Finding[] = []
  if (password !== undefined) {
    const reply = await connection.ask(
      ...(username === undefined ? ['AUTH', password] : ['AUTH', username, password]),
    )
    if (reply instanceof Error) {
      const finding = refusedLogin(reply)
      if (finding.level === 'problem') return { isIn: false, text: '', findings: [finding] }
      findings.push(finding)
    }
  }
  const commands: Command[] = [['PING'], ...(db === 0 ? [] : [['SELECT', db]])]
  const [pong, selected] = await connection.all(commands)
  const isLoading = pong instanceof Error && kindOfReply(pong) === 'LOADING'
  if (pong instanceof Error && !isLoading && !/^(NOPERM|MASTERDOWN)/.test(pong.message)) {
    const { what, fix } = faultOf(pong)
    return { isIn: false, text: '', findings: [problem('login', what, REFUSED, fix)] }
  }
  if (isLoading) findings.push(loading())
  if (selected instanceof Error && !isLoading) findings.push(noDatabase(db))
  return { isIn: true, text: loginText(username, password, findings), findings }
}

function refusedLogin(reply: Error): Finding {
  if (NO_PASSWORD.test(reply.message)) {
    return warning(
      'login',
      'A password is set here, but the server asks for none',
      'Everybody who reaches it can read and delete everything.',
      'Set one on the server (requirepass, or an ACL user), or check that this is the right server.',
    )
  }
  const { what, fix } = faultOf(reply)
  return problem('login', what, REFUSED, fix)
}

function loginText(
  username: string | undefined,
  password: string | undefined,
  findings: readonly Finding[],
): string {
  if (password === undefined || findings.some(({ check }) => check === 'login')) {
    return 'without a password'
  }
  return username === undefined ? 'logged in' : `logged in as ${username}`
}

function loading(): Finding {
  return problem(
    'loading',
    'Redis is still loading its data',
    'Until it has, the cache works without it; it is used as soon as it has.',
    'Run this again in a moment.',
  )
}

function noDatabase(db: number): Finding {
  return problem(
    'database',
    `Redis has no database ${db}, or does not allow it`,
    'The library cannot use the server with this setting.',
    'Check the number at the end of the url (or --db).',
  )
}
