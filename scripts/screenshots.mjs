/**
 * `npm run screenshots`: the pictures of the page in docs/images, taken from a demo. Needs Chromium on the
 * PATH.
 */
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { chromium } from 'playwright-core';

const PICTURES = [
  { name: 'overview', height: 900, hash: '#/en', ready: '.headline' },
  { name: 'fleet', height: 1130, hash: '#/en/fleet?map=boardings', ready: '.zones circle' },
  {
    name: 'dataset',
    height: 900,
    hash: '#/en/datasets/rides-per-hour?last=7d&columns=timestamp,weekday,pickups,dispatches&sort=-timestamp',
    ready: '.plot canvas',
  },
];
const WIDTH = 1440;
/** Milliseconds for fonts, the first plot and transitions. */
const SETTLING = 1_500;
/** Not the service's default port, which may be in use. */
const PORT = process.env.PORT ?? '8099';

const root = fileURLToPath(new URL('..', import.meta.url));
const images = join(root, 'docs', 'images');
const data = mkdtempSync(join(tmpdir(), 'dynamo-csv-screenshots-'));
const demo = spawn(process.execPath, [join(root, 'dist', 'src', 'demo', 'main.js')], {
  cwd: root,
  env: { ...process.env, DATA_DIR: data, PORT },
  stdio: ['ignore', 'pipe', 'inherit'],
});
const ended = once(demo, 'exit');
const browser = await chromium.launch({
  executablePath: spawnSync('sh', ['-c', 'command -v chromium']).stdout.toString().trim(),
  args: ['--no-sandbox'],
});
try {
  const url = await Promise.race([
    pageOf(demo.stdout),
    ended.then(() => Promise.reject(new Error('the demo ended'))),
  ]);
  const page = await browser.newPage({ colorScheme: 'light', locale: 'en-US' });
  mkdirSync(images, { recursive: true });
  for (const { name, height, hash, ready } of PICTURES) {
    await page.setViewportSize({ width: WIDTH, height });
    await page.goto('about:blank');
    await page.goto(url + hash);
    await page.locator(ready).first().waitFor();
    await page.waitForTimeout(SETTLING);
    await page.screenshot({ path: join(images, `${name}.png`) });
    console.log(`docs/images/${name}.png`);
  }
} finally {
  await browser.close();
  demo.kill();
  await ended;
  rmSync(data, { recursive: true, force: true });
}

/** The demo prints the page's URL once every view has rows. */
async function pageOf(output) {
  let text = '';
  for await (const chunk of output) {
    text += chunk;
    const found = /^Page\s+(\S+)$/m.exec(text);
    if (found !== null) return found[1];
  }
  throw new Error(`the demo did not start: ${text}`);
}
