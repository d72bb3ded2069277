// Elements. A text stays a text: nothing here makes markup of one.

/** An element with attributes and children: elements, texts, lists of them, and null or false for nothing. */
export function element(name, attributes = {}, ...children) {
  const made = document.createElement(name)
  for (const [key, value] of Object.entries(attributes)) {
    if (value === true) made.setAttribute(key, '')
    else if (value !== false && value !== null && value !== undefined) made.setAttribute(key, value)
  }
  made.append(...children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false))
  return made
}

/** A button that runs `act`, one press at a time. */
export function button(label, act, attributes = {}) {
  const made = element('button', { type: 'button', ...attributes }, label)
  made.addEventListener('click', async () => {
    made.disabled = true
    try {
      await act()
    } finally {
      made.disabled = false
    }
  })
  return made
}

/** A form of `fields` with a button; `act` gets their values by name. It says itself what went wrong. */
export function form(fields, label, act) {
  const submit = element('button', {}, label)
  const made = element('form', { class: 'panel' }, fields, submit)
  made.addEventListener('submit', async (event) => {
    event.preventDefault()
    submit.disabled = true
    try {
      await act(Object.fromEntries(new FormData(made)))
    } finally {
      submit.disabled = false
    }
  })
  return made
}

/** A labelled input. */
export function field(label, name, attributes = {}) {
  const input = element('input', { name, autocomplete: 'off', spellcheck: 'false', required: true, ...attributes })
  return element('label', {}, label, input)
}

/** One for an address. */
export const addressField = (label, name, attributes = {}) =>
  field(label, name, { pattern: '0x[0-9a-fA-F]{40}', placeholder: '0x…', title: '0x and 40 digits', ...attributes })
