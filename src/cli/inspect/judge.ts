import { headerFault, readWhole } from '../../envelope/header.ts'
import { hashOf } from '../../envelope/seal.ts'
import type { Found, TagStamp } from './find-entry.ts'

export type Standing = 'fresh' | 'stale' | 'miss' | 'absent'

export interface Verdict {
  readonly standing: Standing
  readonly reason: string
}

/** What stands in the way of believing a tag's entry. */
export type TagStanding = 'valid' | 'invalidated' | 'expired' | 'lost'

/** Whether the cache would use what was found, by the rules by which it reads. */
export function judge(found: Found, key: string): Verdict {
  if (!found.stored) return { standing: 'absent', reason: 'there is nothing under this key' }
  const fault = faultOf(found, key)
  return fault === undefined ? freshness(found) : { standing: 'miss', reason: fault }
}

export function isChecksumRight({ record }: Found): boolean {
  return record !== undefined && typeof readWhole(record.bytes) !== 'string'
}

export function standingOf({ stamp }: TagStamp, found: Found): TagStanding {
  const own = found.header?.stampSequence ?? 0
  const { hard, soft } = stamp ?? lostStamp(found)
  if (hard > own) return stamp ? 'invalidated' : 'lost'
  return soft > own ? 'expired' : 'valid'
}

/** What a lost one is made anew with: whatever is older than the loss is invalidated. */
function lostStamp({ stampsPosition }: Found): { hard: number; soft: number } {
  const sequence = stampsPosition?.sequence ?? Infinity
  return { hard: sequence, soft: sequence }
}

function faultOf(found: Found, key: string): string | undefined {
  const { record, header, position, stampsPosition, now } = found
  if (!record) return 'what lies there was not stored by this library'
  if (!position || !stampsPosition) return 'its sequence is gone, so that a new epoch begins'
  if (record.epoch !== position.epoch)
    return 'it is of another epoch: the sequence was lost or begun anew since'
  if (!header) return headerText(headerFault(record.bytes))
  if (!isChecksumRight(found)) return 'its checksum is wrong: it was damaged or cut'
  if (header.keyHash !== hashOf(key)) return 'it was stored under another key'
  if (header.epoch !== stampsPosition.epoch) {
    return 'its tags are of another epoch: their sequence was lost or begun anew since'
  }
  const dead = found.tags.map((tag) => [tag.tag, standingOf(tag, found)] as const)
  const invalidated = dead.find(([, standing]) => standing === 'invalidated')
  if (invalidated) return `the tag ${invalidated[0]} was invalidated after it was loaded`
  const lost = dead.find(([, standing]) => standing === 'lost')
  if (lost) return `the stamp of the tag ${lost[0]} is gone, so that it counts as invalidated`
  return now >= header.staleUntil ? 'its ttl and grace are over' : undefined
}

function headerText(fault: ReturnType<typeof headerFault>): string {
  if (fault === 'version') return 'it is in the format of another version of the library'
  return fault === 'foreign'
    ? 'its content was not stored by this library'
    : 'its header is damaged'
}

function freshness(found: Found): Verdict {
  const { header, now, tags } = found
  const expired = tags.find((tag) => standingOf(tag, found) === 'expired')
  if (expired) {
    return { standing: 'stale', reason: `the tag ${expired.tag} was expired after it was loaded` }
  }
  if (now < (header?.freshUntil ?? 0)) return { standing: 'fresh', reason: 'served as it is' }
  return { standing: 'stale', reason: 'its ttl is over, its grace is not' }
}
