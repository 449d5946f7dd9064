import type { Candidate, Discovery, Endpoint, ServerInfo } from './discovery.ts'
import { refuseRole } from './server-info.ts'

/** One server, whose address does not change. */
export class FixedDiscovery implements Discovery {
  readonly #candidate: Candidate

  constructor({ host, port }: Endpoint) {
    this.#candidate = { host, port, source: 'standalone' }
  }

  find(): Promise<Candidate> {
    return Promise.resolve(this.#candidate)
  }

  check(_candidate: Candidate, info: ServerInfo): Error | undefined {
    return refuseRole(info)
  }

  accepted(): void {}

  refused(): void {}

  start(): void {}

  stop(): void {}
}
