// Opens a report in Chromium and says everything that is wrong with it; ends with 1 when something is.
'use strict'
const fs = require('node:fs')
const path = require('node:path')
const { pathToFileURL } = require('node:url')

const [modules, report, pictures] = process.argv.slice(2)
const { chromium } = require(path.resolve(modules, 'playwright-core'))
const axe = fs.readFileSync(path.resolve(modules, 'axe-core/axe.min.js'), 'utf8')

const WIDTHS = [1280, 390]
const SCHEMES = ['light', 'dark']
/** What axe calls a finding that keeps people out. */
const SERIOUS = ['serious', 'critical']
/** Milliseconds that a step may take on a machine that is busy with other things. */
const PATIENCE = 180_000
/** A browser of one's own that calls nobody. */
const ARGUMENTS = ['--no-sandbox', '--disable-gpu', '--disable-background-networking', '--disable-component-update', '--disable-sync']

/** In the page: whatever sticks out, is cut, or lies over something else. */
function misplaced(wide) {
  const wrong = []
  const named = (text) => JSON.stringify(text.textContent.trim().slice(0, 40))
  if (document.documentElement.scrollWidth > innerWidth) wrong.push(`the page is ${document.documentElement.scrollWidth} wide`)
  for (const table of wide ? document.querySelectorAll('.scroll') : [])
    if (table.scrollWidth > table.clientWidth + 1) wrong.push(`${table.getAttribute('aria-label')}: columns are hidden`)
  for (const chart of document.querySelectorAll('svg')) {
    const frame = chart.getBoundingClientRect()
    const texts = [...chart.querySelectorAll('text')].map((text) => ({ text, box: text.getBoundingClientRect() }))
    for (const { text, box } of texts)
      if (box.left < frame.left - 1 || box.right > frame.right + 1 || box.top < frame.top - 1 || box.bottom > frame.bottom + 1)
        wrong.push(`${chart.getAttribute('aria-label')}: ${named(text)} is cut`)
    texts.forEach((a, place) => {
      for (const b of texts.slice(place + 1)) {
        const across = Math.min(a.box.right, b.box.right) - Math.max(a.box.left, b.box.left)
        const down = Math.min(a.box.bottom, b.box.bottom) - Math.max(a.box.top, b.box.top)
        if (across > 1 && down > 3) wrong.push(`${chart.getAttribute('aria-label')}: ${named(a.text)} lies over ${named(b.text)}`)
      }
    })
  }
  return wrong
}

/** In the page: words and shapes of charts that don't stand out from the paper, which axe does not judge. */
function faded() {
  const channels = (color) => color.match(/[\d.]+/g).slice(0, 3).map((value) => value / 255)
  const linear = (value) => (value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4)
  const light = (color) => channels(color).map(linear).reduce((sum, value, at) => sum + value * [0.2126, 0.7152, 0.0722][at], 0)
  const contrast = (a, b) => (Math.max(light(a), light(b)) + 0.05) / (Math.min(light(a), light(b)) + 0.05)
  const paper = getComputedStyle(document.body).backgroundColor
  const kinds = { 'svg text': 4.5, 'svg rect:not(.f-faint)': 3, 'svg circle': 3 }
  const poor = Object.entries(kinds).flatMap(([kind, least]) =>
    [...document.querySelectorAll(kind)]
      .map((shape) => [shape, contrast(getComputedStyle(shape).fill, paper)])
      .filter(([, found]) => found < least)
      .map(([shape, found]) => `${kind} ${shape.getAttribute('class')}: contrast ${found.toFixed(1)} of ${least}`))
  return [...new Set(poor)]
}

/** Opens the report once; gives what is wrong. */
async function look(browser, colorScheme, width) {
  const wrong = []
  const context = await browser.newContext({ viewport: { width, height: width > 1000 ? 900 : 844 }, colorScheme })
  context.setDefaultTimeout(PATIENCE)
  const page = await context.newPage()
  page.on('console', (message) => wrong.push(`console ${message.type()}: ${message.text()}`))
  page.on('pageerror', (error) => wrong.push(`script: ${error.message}`))
  const address = pathToFileURL(path.resolve(report)).href
  page.on('request', (request) => request.url() !== address && wrong.push(`asks for ${request.url()}`))
  await page.goto(address)
  wrong.push(...(await page.evaluate(misplaced, width > 1000)), ...(await page.evaluate(faded)))
  for (const fullPage of pictures ? [false, true] : [])
    await page.screenshot({ path: path.join(pictures, `${colorScheme}-${width}${fullPage ? '' : '-first'}.png`), fullPage })
  // Axe can't tell contrasts over the fades of tables; they hold no words.
  await page.addStyleTag({ content: '.scroll,.scroll.long{background:none!important}' })
  await page.evaluate(axe)
  const found = await page.evaluate(() => globalThis.axe.run(document))
  const told = (finding, node) => `axe ${finding.impact} ${finding.id}: ${node.target.join(' ')}: ${finding.help}`
  const serious = found.violations.filter((finding) => SERIOUS.includes(finding.impact))
  wrong.push(...serious.flatMap((finding) => finding.nodes.map((node) => told(finding, node))))
  // Axe does not judge words of charts: `faded` does.
  const judged = (node) => node.html.startsWith('<text')
  const unsure = found.incomplete.flatMap((finding) => finding.nodes.filter((node) => !judged(node)).map((node) => told(finding, node)))
  const lesser = found.violations.length - serious.length
  console.log(
    `report-check: ${colorScheme}, ${width} wide: ${found.passes.length} rules of axe hold, ${serious.length} serious and ` +
      `${lesser} lesser are broken, ${unsure.length} places could not be judged`)
  for (const text of unsure.slice(0, 3)) console.log(`report-check:   not judged: ${text}`)
  await context.close()
  return wrong.map((text) => `${colorScheme}, ${width} wide: ${text}`)
}

/** Prints the report; gives what is wrong. */
async function print(browser) {
  const page = await browser.newPage({ colorScheme: 'dark' })
  page.setDefaultTimeout(PATIENCE)
  await page.goto(pathToFileURL(path.resolve(report)).href)
  const pdf = await page.pdf({ format: 'A4', printBackground: true })
  if (pictures) fs.writeFileSync(path.join(pictures, 'print.pdf'), pdf)
  const pages = (pdf.toString('latin1').match(/\/Type\s*\/Page\b/g) || []).length
  console.log(`report-check: printed on ${pages} pages, ${Math.round(pdf.length / 1024)} KiB`)
  return pages > 0 ? [] : ['nothing was printed']
}

async function main() {
  const browser = await chromium.launch({ executablePath: process.env.CHROMIUM, args: ARGUMENTS, timeout: PATIENCE })
  const wrong = []
  try {
    for (const scheme of SCHEMES) for (const width of WIDTHS) wrong.push(...(await look(browser, scheme, width)))
    wrong.push(...(await print(browser)))
  } finally {
    await browser.close()
  }
  for (const text of wrong.slice(0, 40)) console.error(`report-check: ${text}`)
  if (wrong.length > 0) process.exitCode = 1
}

main().catch((error) => {
  console.error(`report-check: ${error.message}`)
  process.exitCode = 1
})
