// Values that a schema accepts, or nearly: made from what the schema says of itself as JSON Schema. What it checks by a
// function of ours is not in there, so some are refused.

import fc from 'fast-check'
import { z } from '../../../shared/schema.ts'

type JsonSchema = z.infer<typeof jsonSchema>

const jsonSchema = z.object({
  type: z.union([z.string(), z.array(z.string())]).optional(),
  const: z.unknown().optional(),
  enum: z.array(z.unknown()).optional(),
  anyOf: z.array(z.unknown()).optional(),
  oneOf: z.array(z.unknown()).optional(),
  allOf: z.array(z.unknown()).optional(),
  properties: z.record(z.string(), z.unknown()).optional(),
  required: z.array(z.string()).optional(),
  items: z.unknown().optional(),
  prefixItems: z.array(z.unknown()).optional(),
  minItems: z.number().optional(),
  maxItems: z.number().optional(),
  minLength: z.number().optional(),
  maxLength: z.number().optional(),
  pattern: z.string().optional(),
  minimum: z.number().optional(),
  maximum: z.number().optional(),
})

/** Longest lists and texts that are made: limits above are for the mutations. */
const few = 4
const longest = 80

export function arbitraryOf(schema: z.ZodType): fc.Arbitrary<unknown> {
  return made(z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any', reused: 'inline' }))
}

function made(described: unknown): fc.Arbitrary<unknown> {
  const schema = jsonSchema.parse(described)
  const either = schema.anyOf ?? schema.oneOf
  if (either) return fc.oneof(...either.map(made))
  if (schema.allOf) return fc.tuple(...schema.allOf.map(made)).map((parts) => Object.assign({}, ...parts))
  if (schema.enum) return fc.constantFrom(...schema.enum)
  if ('const' in schema) return fc.constant(schema.const)
  if (Array.isArray(schema.type)) return fc.oneof(...schema.type.map((type) => ofType({ ...schema, type })))
  return ofType(schema)
}

function ofType(schema: JsonSchema): fc.Arbitrary<unknown> {
  switch (schema.type) {
    case 'object':
      return objects(schema)
    case 'array':
      return lists(schema)
    case 'string':
      return texts(schema)
    case 'integer':
      return fc.integer({ min: schema.minimum ?? -2, max: Math.min(schema.maximum ?? 2 ** 31, 2 ** 31 - 1) })
    case 'number':
      return fc.oneof(fc.integer({ min: 0, max: 5_000 }), fc.double({ noNaN: true }))
    case 'boolean':
      return fc.boolean()
    case 'null':
      return fc.constant(null)
    default:
      return fc.constantFrom<unknown>(null, 1, 'x', [], {})
  }
}

function objects({ properties = {}, required = [] }: JsonSchema): fc.Arbitrary<unknown> {
  const fields = Object.fromEntries(Object.entries(properties).map(([name, field]) => [name, made(field)]))
  return fc.record(fields, { requiredKeys: required.filter((name) => name in fields), noNullPrototype: true })
}

function lists({ items, prefixItems, minItems = 0, maxItems = few }: JsonSchema): fc.Arbitrary<unknown> {
  if (prefixItems) return fc.tuple(...prefixItems.map(made))
  return fc.array(made(items ?? {}), { minLength: Math.min(minItems, few), maxLength: Math.min(maxItems, few) })
}

/** Each kind of text is made once: it takes a while, and a schema has hundreds of equal ones. */
const knownTexts = new Map<string, fc.Arbitrary<string>>()

function texts({ pattern, minLength = 0, maxLength = longest }: JsonSchema): fc.Arbitrary<string> {
  const from = Math.min(minLength, longest)
  const to = Math.max(from, Math.min(maxLength, longest))
  const key = pattern ?? `${from}-${to}`
  const known = knownTexts.get(key)
  if (known) return known
  const text =
    pattern === undefined
      ? fc.string({ minLength: from, maxLength: to, unit: 'grapheme' })
      : fc.stringMatching(new RegExp(pattern), { maxLength: 130 })
  knownTexts.set(key, text)
  return text
}
