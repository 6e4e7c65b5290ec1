import assert from 'node:assert/strict';
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';
import { after, before, type TestContext, test } from 'node:test';
import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core';

/** Milliseconds for anything to appear, on a machine that does other things too. */
const PATIENCE = 60_000;

/** Names under which distributions install it. */
const NAMES = ['chromium', 'chromium-browser', 'google-chrome'];
const executablePath = findOnPath();

let browser: Browser | undefined;
before(async () => {
  if (executablePath === null) return;
  // In a container the tests run as root, where Chromium's own sandbox does not start.
  browser = await chromium.launch({ executablePath, args: ['--no-sandbox'], timeout: PATIENCE });
});
after(() => browser?.close());

export type Open = (url: string, options?: BrowserContextOptions) => Promise<Page>;

/**
 * A test in a real Chromium; skipped, with a word, on a machine that has none. Every page that it opens must have thrown
 * nothing and violated no policy in the end.
 */
export function browserTest(name: string, run: (t: TestContext, open: Open) => Promise<void>): void {
  const skip = executablePath === null && `needs Chromium: none of ${NAMES.join(', ')} is on PATH`;
  test(name, { skip }, async (t) => {
    const faults: string[] = [];
    await run(t, async (url, options = {}) => {
      const context = await browser!.newContext({
        locale: 'en-US',
        permissions: ['clipboard-read', 'clipboard-write'],
        ...options,
      });
      t.after(() => context.close());
      const page = await context.newPage();
      page.setDefaultTimeout(PATIENCE);
      page.on('pageerror', (error) => faults.push(error.stack ?? error.message));
      page.on('console', (message) => {
        if (/content security policy|violates/i.test(message.text())) faults.push(message.text());
      });
      await page.goto(url);
      return page;
    });
    assert.deepEqual(faults, []);
  });
}

function findOnPath(): string | null {
  for (const folder of (process.env.PATH ?? '').split(delimiter)) {
    for (const name of NAMES) {
      const path = join(folder, name);
      try {
        accessSync(path, constants.X_OK);
        return path;
      } catch {
        // Not here.
      }
    }
  }
  return null;
}
