// Everything a person can choose, on one page; it is saved at once. The twelve words are screens of their own.

import { to } from '../../route.ts'
import { go, showToast, useProfile } from '../../store.ts'
import { Page } from '../../ui/Page.tsx'
import { phraseWords } from '../../words/phrase.ts'
import { settingsWords } from '../../words/settings.ts'
import { CheckWords } from '../phrase/CheckWords.tsx'
import { useChallenge } from '../phrase/challenge.ts'
import { WriteWords } from '../phrase/WriteWords.tsx'
import { About } from './About.tsx'
import { Accept } from './Accept.tsx'
import { Look, Network, Notices } from './Choices.tsx'
import { Safe } from './Safe.tsx'
import { sectionOf, sections, showSection, useCurrentSection } from './sections.ts'
import { You } from './You.tsx'

const wordsPlace = to.settings('phrase', 'words')

export function Settings({ path }: { readonly path: readonly string[] }) {
  const { phrase } = useProfile()
  const challenge = useChallenge(to.settings('phrase', 'check'))
  const [section, step] = path
  const back = { label: settingsWords.back, href: to.settings('phrase') }
  if (section === 'phrase' && step === 'check' && challenge.positions !== null) {
    return (
      <CheckWords
        positions={challenge.positions}
        back={back}
        lookAgain={wordsPlace}
        onRight={() => {
          showToast({ text: phraseWords.check.right })
          go(to.settings('phrase'))
        }}
      />
    )
  }
  if (section === 'phrase' && step !== undefined) {
    return <WriteWords back={back} isChecked={phrase === 'checked'} ask={challenge.ask} />
  }
  return (
    <Page screen="settings" heading={settingsWords.title}>
      <Sections section={section} onCheck={challenge.ask} />
    </Page>
  )
}

function Sections({
  section,
  onCheck,
}: {
  readonly section: string | undefined
  readonly onCheck: ReturnType<typeof useChallenge>['ask']
}) {
  const current = useCurrentSection(sectionOf(section))
  return (
    <div className="settings">
      <nav className="settings-contents" aria-label={settingsWords.contents} data-arrows>
        {sections.map((one) => (
          // Also when the address names it already.
          <a
            key={one}
            href={to.settings(one)}
            onClick={() => showSection(one)}
            aria-current={one === current ? 'true' : undefined}
          >
            {settingsWords.sections[one]}
          </a>
        ))}
      </nav>
      <div className="settings-sections">
        <Safe words={wordsPlace} check={onCheck} />
        <Accept />
        <You />
        <Network />
        <Look />
        <Notices />
        <About />
      </div>
    </div>
  )
}
