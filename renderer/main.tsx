import '@fontsource-variable/hanken-grotesk/wght.css'
import './styles/tokens.css'
import './styles/base.css'
import './styles/frames.css'
import './styles/components.css'
import './styles/payments.css'
import './styles/home.css'
import './styles/activity.css'
import './styles/mints.css'
import './styles/pay.css'
import './styles/scan.css'
import './styles/get-paid.css'
import './styles/welcome.css'
import './styles/settings.css'
import { StrictMode } from 'react'
import { createRoot } from 'react-dom/client'
import { App } from './App.tsx'
import { startKeyboard } from './keyboard.ts'
import { screens } from './route.ts'
import { onVisit, startStore } from './store.ts'
import { views } from './views/table.ts'

const root = document.querySelector('#root')
if (!root) throw new Error('index.html has no #root')

for (const screen of screens) {
  const view = views[screen]
  if (view) onVisit(screen, view)
}
startStore()
startKeyboard()
createRoot(root).render(
  <StrictMode>
    <App />
  </StrictMode>,
)
