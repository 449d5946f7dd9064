// The child process of one scene: `child.ts <scene> <folder of the build> <settings as JSON>`.
import { pathToFileURL } from 'node:url'
import type { Scene } from './scene.ts'

const [name, folder, json] = process.argv.slice(2)
const url = (file: string): string => pathToFileURL(`${folder}/${file}`).href
const settings = JSON.parse(json ?? '{}')
const { scene } = (await import(`../scenes/${name}.ts`)) as { scene: Scene }
const measured = await scene({
  library: await import(url('index.js')),
  loadRedis: async () => (await import(url('redis.js'))).redis,
  loadSqlite: async () => (await import(url('sqlite.js'))).sqlite,
  url,
  settings: settings.rounds,
  quick: settings.quick,
})
process.send?.(measured)
process.disconnect?.()
