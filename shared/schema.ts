// The schema library, in one place: rooms that may import nothing but shared parse their edges with it too.

import { z } from 'zod'

export { z }

/**
 * What does not fit is an outcome, whatever it is. zod (4.6.7) compares the `length` of anything that has one before it
 * asks whether that is a text or a list, and throws when it is an object that cannot be compared: JSON and CBOR of
 * strangers are read by this, not by `safeParse`.
 * @throws what a transform of the schema throws, if it is an error of ours
 */
export function readAs<T>(schema: z.ZodType<T>, value: unknown): z.ZodSafeParseResult<T> {
  try {
    return schema.safeParse(value)
  } catch (thrown) {
    if (!(thrown instanceof TypeError)) throw thrown
    return z.custom<T>(() => false, 'not readable').safeParse(value)
  }
}
