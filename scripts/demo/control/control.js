// The control page of the demonstration: links to the wallets, and a switch for the mint.

/** A link works once: there is always a fresh one under each name, replaced before it is too old. */
const refreshMs = 4 * 60_000

const element = (id) => document.getElementById(id)
const say = (problem) => {
  element('problem').textContent = problem
}

async function call(command, input) {
  const response = await fetch(`api/call/${command}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(input),
  })
  const reply = await response.json()
  if (!reply.ok) throw new Error(reply.error.message)
  return reply.value
}

const isGone = () => say('The demonstration has ended, or this page needs a new link: press Enter in its terminal.')

function show({ isMintOn }) {
  element('state').textContent = isMintOn ? 'It can be reached.' : 'It is away: nobody can reach it.'
  element('switch').textContent = isMintOn ? 'Take the mint away' : 'Bring the mint back'
  element('switch').disabled = false
  element('switch').onclick = () => call('mint.switch', { isOn: !isMintOn }).then(show, isGone)
}

function addWallet(name) {
  const link = document.createElement('a')
  link.textContent = `Open ${name}’s wallet`
  link.target = `farthing-${name}`
  link.rel = 'noopener'
  const renew = () =>
    call('wallet.link', { name }).then((href) => {
      link.href = href
      say('')
    }, isGone)
  // After the browser has followed it.
  link.addEventListener('click', () => setTimeout(renew, 200))
  link.addEventListener('auxclick', () => setTimeout(renew, 200))
  setInterval(renew, refreshMs)
  renew()
  const item = document.createElement('li')
  item.append(link)
  element('wallets').append(item)
}

call('state', {}).then((state) => {
  for (const name of state.wallets) addWallet(name)
  show(state)
}, isGone)
const events = new EventSource('api/events')
events.onmessage = ({ data }) => show(JSON.parse(data))
events.onerror = isGone
