import type { RedisBinary } from '../../../scripts/find-redis.ts'
import { redisBinary } from './binary.ts'
import type { CertificateFiles } from './certificates.ts'
import { guardedFolder } from './guard.ts'
import { freePort, releasePort } from './ports.ts'
import { RedisProcess, type RestartOptions } from './redis-process.ts'

/** Options of `startServer`. */
export interface ServerOptions extends Pick<RestartOptions, 'whileLoading'> {
  /** Extra arguments like `['--maxmemory', '3mb']`, also after a restart. */
  readonly args?: readonly string[]
  /** Default: a free one. */
  readonly port?: number
  readonly replicaOf?: { readonly port: number; readonly password?: string | undefined }
  /** Also what it tells its master as a replica, so that roles can change. */
  readonly requirepass?: string | undefined
  /** Listens with TLS only. */
  readonly tls?: CertificateFiles
  /** A node of a cluster: its bus port. */
  readonly clusterPort?: number
}

/**
 * Starts a redis-server on 127.0.0.1 with a folder of its own, nothing saved, DEBUG allowed. It can
 * be used when this resolves; about 30 ms.
 */
export async function startServer(options: ServerOptions = {}): Promise<RedisProcess> {
  const binary = redisBinary()
  for (let attempt = 1; ; attempt += 1) {
    const server = await prepare(binary, options)
    try {
      await server.start({ whileLoading: options.whileLoading ?? false })
      return server
    } catch (error) {
      await server.stop()
      // Somebody outside of these tests may have taken the port in between.
      if (options.port !== undefined || attempt === 3) throw error
    }
  }
}

async function prepare(binary: RedisBinary, options: ServerOptions): Promise<RedisProcess> {
  const port = options.port ?? (await freePort())
  const owned = options.port === undefined ? [port] : []
  try {
    const folder = guardedFolder('server')
    const { requirepass, tls } = options
    const login = requirepass === undefined ? '' : `:${encodeURIComponent(requirepass)}@`
    return new RedisProcess({
      binary: binary.path,
      args: argumentsOf(binary, options, port, folder),
      port,
      ownedPorts: owned,
      folder,
      url: `${tls === undefined ? 'redis' : 'rediss'}://${login}127.0.0.1:${port}`,
      ready: /Ready to accept connections/,
      password: requirepass,
      ca: tls?.ca,
    })
  } catch (error) {
    for (const each of owned) releasePort(each)
    throw error
  }
}

function argumentsOf(
  binary: RedisBinary,
  { args = [], replicaOf, requirepass, tls, clusterPort }: ServerOptions,
  port: number,
  folder: string,
): string[] {
  const masterauth = replicaOf?.password ?? requirepass
  return [
    ...['--bind', '127.0.0.1', '--dir', folder, '--save', '', '--daemonize', 'no'],
    ...['--repl-diskless-sync', 'yes', '--repl-diskless-sync-delay', '0'],
    ...(tls === undefined ? ['--port', String(port)] : tlsArguments(tls, port)),
    ...(replicaOf === undefined ? [] : ['--replicaof', `127.0.0.1 ${replicaOf.port}`]),
    ...(requirepass === undefined ? [] : ['--requirepass', requirepass]),
    ...(masterauth === undefined ? [] : ['--masterauth', masterauth]),
    ...(clusterPort === undefined ? [] : ['--cluster-port', String(clusterPort)]),
    ...(binary.features.debugCommands
      ? ['--enable-debug-command', 'yes', '--enable-protected-configs', 'yes']
      : []),
    ...args,
  ]
}

function tlsArguments({ ca, cert, key }: CertificateFiles, port: number): string[] {
  return [
    ...['--port', '0', '--tls-port', String(port), '--tls-auth-clients', 'no'],
    ...['--tls-ca-cert-file', ca, '--tls-cert-file', cert, '--tls-key-file', key],
    ...['--tls-replication', 'yes'],
  ]
}
