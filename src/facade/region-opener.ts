import type { Policy } from '../read-path/policy.ts'
import type { Region } from '../read-path/region.ts'
import type { Given } from './resolve-options.ts'

/** What a wrapped function needs of the cache it belongs to. */
export interface RegionOpener {
  readonly hasL2: boolean
  /** Checks the name and makes the region, at first use. */
  openRegion(
    label: string,
    name: string | undefined,
    version: string | number | undefined,
    options: Given,
  ): { region: Region; policy: Policy }
  /** Frees the name and the memory. */
  closeRegion(region: Region, name: string | undefined): void
}
