import { existsSync, statSync } from 'node:fs'
import { dirname, join, normalize } from 'node:path'
import { readDocument, root } from './docs-programs.ts'

/** Links of a document that lead nowhere: to a missing file or a missing heading. */
export function brokenLinks(file: string): string[] {
  const text = withoutCode(readDocument(file))
  const targets = [...text.matchAll(/\]\(([^)\s]+)\)/g)].map((match) => match[1] as string)
  return targets.filter((target) => !/^(https?|mailto):/.test(target) && !leads(file, target))
}

function leads(file: string, target: string): boolean {
  const [path = '', anchor] = target.split('#')
  const to = path === '' ? file : normalize(join(dirname(file), path))
  if (!existsSync(join(root, to))) return false
  if (anchor === undefined) return true
  return statSync(join(root, to)).isFile() && anchorsOf(readDocument(to)).has(anchor)
}

/** The anchors that GitHub gives to the headings of a document. */
export function anchorsOf(markdown: string): Set<string> {
  const anchors = new Set<string>()
  for (const [, heading = ''] of withoutCode(markdown).matchAll(/^#{1,6} +(.+?) *$/gm)) {
    const plain = heading.replaceAll(/\[([^\]]*)\]\([^)]*\)/g, '$1').toLowerCase()
    const slug = plain.replaceAll(/[^\p{L}\p{N}\s_-]/gu, '').replaceAll(' ', '-')
    let anchor = slug
    for (let turn = 1; anchors.has(anchor); turn++) anchor = `${slug}-${turn}`
    anchors.add(anchor)
  }
  return anchors
}

function withoutCode(markdown: string): string {
  return markdown.replaceAll(/^```[\s\S]*?^```$/gm, '')
}
