// The schema library, in one place: rooms that may import nothing but shared parse their edges with it too.

export { z } from 'zod'
