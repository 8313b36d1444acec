// Made at build time from what the program depends on; loaded when somebody wants to read it.

declare module 'virtual:licences' {
  export const licences: {
    readonly packages: readonly {
      readonly name: string
      readonly version: string
      /** SPDX. */
      readonly licence: string
      /** Place in `texts`. */
      readonly text: number
    }[]
    readonly texts: readonly string[]
  }
}
