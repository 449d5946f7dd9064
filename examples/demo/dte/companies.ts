import { between, pick, seededRandom } from '../traffic/random.ts'
import { formatRut } from './rut.ts'

export interface Company {
  readonly rut: string
  readonly name: string
  readonly business: string
  readonly district: string
}

const NAMES = ['Aconcagua', 'Soto & Hijos', 'Los Andes', 'Patagonia', 'Maipo', 'Atacama', 'Del Sur']
const BUSINESSES = ['Ferreteria', 'Transportes', 'Alimentos', 'Imprenta', 'Servicios', 'Maderas']
const DISTRICTS = ['Santiago', 'Providencia', 'Valparaiso', 'Temuco', 'Antofagasta', 'Rancagua']
const FORMS = ['SpA', 'Ltda.', 'S.A.', 'EIRL']

/** The companies of one seed: the partners upstream knows the ones that the documents name. */
export function companies(seed: string, count = 60): Company[] {
  const random = seededRandom(`${seed}:companies`)
  const bodies = new Set<number>()
  while (bodies.size < count) bodies.add(between(random, 76_000_000, 78_999_999))
  return [...bodies].map((body) => {
    const business = pick(random, BUSINESSES)
    return {
      rut: formatRut(body),
      name: `${business} ${pick(random, NAMES)} ${pick(random, FORMS)}`,
      business,
      district: pick(random, DISTRICTS),
    }
  })
}
