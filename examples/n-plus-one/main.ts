/**
 * 100 orders with their users and the companies of those users, from a real SQL database (SQLite in
 * memory) that counts the statements it runs: first one by one, then through loaders.
 *
 *   node examples/n-plus-one/main.ts
 */
import { DatabaseSync } from 'node:sqlite'
// In your project: from '@org/resilient-cache'
import { loader, requestScope } from '../../src/index.ts'

interface Order {
  readonly id: number
  readonly userId: number
}
interface User {
  readonly id: number
  readonly name: string
  readonly companyId: number
}
interface Company {
  readonly id: number
  readonly name: string
}

const db = new DatabaseSync(':memory:')
db.exec(`
  CREATE TABLE companies (id INTEGER PRIMARY KEY, name TEXT);
  CREATE TABLE users (id INTEGER PRIMARY KEY, name TEXT, companyId INTEGER);
  CREATE TABLE orders (id INTEGER PRIMARY KEY, userId INTEGER);
  WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 100)
    INSERT INTO orders SELECT i, i FROM n;
  INSERT INTO users SELECT id, 'user ' || id, 1 + id % 10 FROM orders;
  INSERT INTO companies SELECT DISTINCT companyId, 'company ' || companyId FROM users;
`)

let statements = 0
const prepared = new Map<string, ReturnType<typeof db.prepare>>()

/** Asynchronous, as a database behind a network is. */
async function query<T>(sql: string, values: readonly number[] = []): Promise<T[]> {
  statements++
  await null
  let statement = prepared.get(sql)
  if (statement === undefined) {
    statement = db.prepare(sql)
    prepared.set(sql, statement)
  }
  return statement.all(...values) as T[]
}

const places = (values: readonly unknown[]): string => values.map(() => '?').join()

// Rows come in any order: keyOf brings each to its key, and a key without a row gets null.
const users = loader(
  (ids: readonly number[]) =>
    query<User>(`SELECT * FROM users WHERE id IN (${places(ids)}) ORDER BY name`, ids),
  { name: 'users', keyOf: (user) => user.id },
)
const companies = loader(
  (ids: readonly number[]) =>
    query<Company>(`SELECT * FROM companies WHERE id IN (${places(ids)})`, ids),
  { name: 'companies', keyOf: (company) => company.id },
)

/** Runs `work` as one request. @returns how many statements it took, and what it gave as text */
async function count(work: () => Promise<unknown>): Promise<{ taken: number; text: string }> {
  const before = statements
  const result = await requestScope(work)
  return { taken: statements - before, text: JSON.stringify(result) }
}

const allOrders = (): Promise<Order[]> => query<Order>('SELECT * FROM orders')

const naive = await count(async () => {
  const result: unknown[] = []
  for (const order of await allOrders()) {
    const [user] = await query<User>('SELECT * FROM users WHERE id = ?', [order.userId])
    result.push({ ...order, user })
  }
  return result
})
const batched = await count(async () => {
  const orders = await allOrders()
  return Promise.all(
    orders.map(async (order) => ({ ...order, user: await users.load(order.userId) })),
  )
})
console.log('100 orders with their users')
console.log(`  one by one        ${naive.taken} statements`)
console.log(`  through a loader  ${batched.taken} statements`)
console.log(`  the same result   ${naive.text === batched.text}`)

const nested = await count(async () => {
  const orders = await allOrders()
  return Promise.all(
    orders.map(async (order) => {
      const user = await users.load(order.userId)
      const company = user && (await companies.load(user.companyId))
      return { ...order, user, company }
    }),
  )
})
console.log('and with the companies of the users, an async level deeper')
console.log(`  through loaders   ${nested.taken} statements, one for each level`)

const stop = users.on('n-plus-one', ({ loader: name, count: repeats, callSite }) => {
  console.log(`  ${name}: ${repeats} single loads from ${callSite.replace(/\(?file:.*\//, '(')}`)
})
console.log('a loop that awaits each user is found')
await count(async () => {
  for (const { userId } of await allOrders()) await users.load(userId)
})
stop()
db.close()
