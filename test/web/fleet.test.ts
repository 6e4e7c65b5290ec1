import assert from 'node:assert/strict';
import { parse } from 'csv-parse/sync';
import { startPageService } from '../support/page-service.js';
import { browserTest } from './browser.js';
import { fleetDatasets } from './fleet-datasets.js';
import { taxis } from './rides.js';

browserTest('the fleet in figures, a map and a week, from the views', async (t, open) => {
  const datasets = await fleetDatasets(3);
  const service = await startPageService(t, { datasets: Object.values(datasets) });
  const page = await open(`${service}#/fleet`);

  const figure = (name: string) => page.locator('.figure').filter({ hasText: name });
  await figure('Rides today').getByText('48,213').waitFor();
  await figure('Success rate').getByText('78.7%').waitFor();
  await figure('Taxis assigned').getByText('1,997').waitFor();
  // Each figure comes with its own answer.
  await figure('Unassigned taxis').getByText('1, 2, 3').waitFor();
  assert.equal(await figure('Unassigned taxis').getAttribute('data-state'), 'stale');
  await figure('API server').getByText('Running', { exact: true }).waitFor();
  await figure('API server').getByText('CPU 41% · in 184 kB/s, out 96 kB/s').waitFor();
  await page.getByText('+25.0 % compared with 31,840 at this time last week').waitFor();

  const days = page.getByRole('table', { name: 'The last seven days' }).locator('tbody tr');
  await days.first().waitFor();
  assert.equal(await days.count(), 7);
  assert.match((await days.first().textContent())!, /so far60,02980,02975.0%/);
  // A day without a rate has none, not zero.
  assert.match((await days.nth(2).textContent())!, /60,02780,027–/);

  await datasets.count!.land([['0']]);
  await figure('Unassigned taxis').getByText('None').waitFor();
  assert.equal(await figure('Unassigned taxis').getAttribute('data-state'), 'fresh');
});

browserTest(
  'the map names every zone on hover and to the keyboard, and its choice is in the address',
  async (t, open) => {
    const datasets = await fleetDatasets(0);
    const service = await startPageService(t, { datasets: Object.values(datasets) });
    const page = await open(`${service}#/fleet`);
    const zones = page.locator('.zones circle').and(page.locator(':visible'));
    await zones.first().waitFor();
    assert.equal(await zones.count(), 69);
    assert.match((await zones.first().getAttribute('aria-label'))!, /^.+: 60$/);
    const reading = page.locator('.map .reading:visible');
    const last = zones.filter({ hasText: ': 1' }).last();
    await last.hover({ force: true });
    assert.match((await reading.textContent())!, /: \d+$/);

    await page.mouse.move(0, 0);
    await zones.first().focus();
    await page.keyboard.press('ArrowRight');
    await page.keyboard.press('ArrowRight');
    const third = await page.locator(':focus').getAttribute('aria-label');
    assert.equal(third, await zones.nth(2).getAttribute('aria-label'));
    assert.equal(await reading.textContent(), third);

    // New values come while the keyboard is on a zone: it stays there.
    const zone = third!.split(':')[0]!;
    await datasets.destinations!.land(
      parse((await datasets.destinations!.content()).bytes, { from_line: 2 }).map((row: string[]) => [
        ...row.slice(0, -1),
        row[1] === zone ? '1000' : '1',
      ]),
    );
    await page.locator(`:focus[aria-label="${zone}: 1,000"]`).waitFor();

    await page.getByRole('button', { name: 'Boardings' }).click();
    await page.getByText('Where passengers boarded today').waitFor();
    assert.match(page.url(), /#\/fleet\?map=boardings$/);
  },
);

browserTest('without the views there is no fleet', async (t, open) => {
  const service = await startPageService(t, { datasets: [await taxis(3)] });
  const page = await open(service);
  await page.getByText('fresh').first().waitFor();
  assert.equal(await page.getByRole('link', { name: 'Fleet' }).isVisible(), false);
});
