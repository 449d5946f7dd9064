import { codecName } from './describe.ts'
import type { Found } from './find-entry.ts'
import { isChecksumRight, standingOf, type Verdict } from './judge.ts'

/** What was found, for programs. Instants are milliseconds since 1970 of the server's clock. */
export function jsonOf(
  found: Found,
  verdict: Verdict,
  key: string,
  cache: string,
  value: string | undefined,
): Record<string, unknown> {
  const { header, record, stored } = found
  return {
    key,
    cache,
    redisKey: found.entryKey,
    verdict: verdict.standing,
    reason: verdict.reason,
    now: found.now,
    slot: found.slot,
    position: found.position,
    lease: found.lease,
    entry: record && {
      version: record.version,
      epoch: record.epoch,
      bytes: stored?.length,
      lifeMs: found.lifeMs ?? null,
      ...(header && {
        createdAt: header.createdAt,
        freshUntil: finite(header.freshUntil),
        staleUntil: finite(header.staleUntil),
        loadMs: header.loadMs,
        codec: codecName(header.codecHash),
        compression: header.compression,
        payloadBytes: header.payloadBytes,
        stampSequence: header.stampSequence,
        isChecksumRight: isChecksumRight(found),
      }),
    },
    tags: found.tags.map((tag) => ({ ...tag, standing: standingOf(tag, found) })),
    value,
  }
}

/** For ever is no number in JSON. */
function finite(instant: number): number | null {
  return Number.isFinite(instant) ? instant : null
}
