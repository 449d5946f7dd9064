import { checkOverrides } from './check-overrides.ts'
import { type ModelName, parseModelName } from './model-name.ts'
import type { ModelProfile, ProfileOverrides } from './model-profile.ts'
import { profilesOf, unknownProfile } from './profile-table.ts'

/**
 * What is known of a model: rules of its provider's prompt cache, and prices where they are known.
 *
 * Dated names, `-latest` and the spellings of Bedrock (`us.anthropic.claude-…-v1:0`) and Vertex
 * (`claude-…@20260101`) find the entry of the model; sold there it has no price, for other prices may
 * hold (`bedrock/<id>` and `vertex/<id>` in `overrides` set one). A model that is not in the table gets
 * a cautious profile with `minTokens: null` and no price: a newer model is never billed as an older one
 * whose name its own begins with.
 *
 * @param overrides by `provider/id`; members given replace those of the table
 * @throws ERR_INVALID_OPTION for overrides that are none
 */
export function findProfile(
  provider: string,
  model: string,
  overrides?: ProfileOverrides,
): ModelProfile {
  const name = parseModelName(model)
  const seller = provider === 'anthropic' ? (name.seller ?? provider) : provider
  const builtIn = findBuiltIn(seller, name)
  if (overrides === undefined) return builtIn
  checkOverrides(overrides, 'profiles')
  return overridden(builtIn, seller, name, model, overrides)
}

function findBuiltIn(seller: string, name: ModelName): ModelProfile {
  let best: ModelProfile | undefined
  for (const profile of profilesOf(seller)) {
    if (isNamed(name, profile.id, profile.family) && isLonger(profile.id, best?.id)) best = profile
  }
  return best ?? unknownProfile(seller, name.stem)
}

/** The override that names the model best, laid over what the table knows of it. */
function overridden(
  builtIn: ModelProfile,
  seller: string,
  name: ModelName,
  model: string,
  overrides: ProfileOverrides,
): ModelProfile {
  let best: string | undefined
  for (const key of Object.keys(overrides)) {
    if (!key.startsWith(`${seller}/`)) continue
    const id = key.slice(seller.length + 1)
    const isMeant = id === model || isNamed(name, id, overrides[key]?.family)
    if (isMeant && isLonger(id, best)) best = id
  }
  // An override of a family says less than an entry of the table for one model of it.
  if (best === undefined || isLonger(builtIn.id, best)) return builtIn
  return { ...builtIn, ...overrides[`${seller}/${best}`], provider: seller, id: best }
}

function isNamed(name: ModelName, id: string, family: boolean | undefined): boolean {
  return name.stem === id || (family === true && name.stem.startsWith(`${id}-`))
}

function isLonger(id: string, than: string | undefined): boolean {
  return than === undefined || id.length > than.length
}
