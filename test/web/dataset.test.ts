import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import { DynamoCsvError } from '../../src/base/errors.js';
import { startPageService } from '../support/page-service.js';
import { browserTest } from './browser.js';
import { agreement, settled, shownTable, shownUrl } from './looking.js';
import { MARKUP, ridesLog, ridesRows } from './rides.js';

async function started(t: TestContext) {
  const rides = await ridesLog();
  const service = await startPageService(t, { datasets: [rides] });
  return { rides, url: `${service}#/datasets/rides` };
}

browserTest(
  'the table is what its URL gives: plain, filtered, sorted, with columns and a limit',
  async (t, open) => {
    const page = await open((await started(t)).url);
    assert.equal((await agreement(page, '')).length, 21);

    await page.getByLabel('Filter counter_type', { exact: true }).fill('pick');
    assert.equal((await agreement(page, '?counter_type__contains=pick')).length, 11);
    await page.getByLabel('Filter count', { exact: true }).fill('>=30 <70');
    assert.equal((await agreement(page, /count__gte=30&count__lt=70/)).length, 5);

    await page.getByRole('button', { name: 'count number' }).click();
    await agreement(page, /sort=count$/);
    await page.getByRole('button', { name: 'count number' }).click();
    const sorted = await agreement(page, /sort=-count$/);
    assert.deepEqual(
      sorted.slice(1).map(([, count]) => count),
      ['60', '50', '40', '30'],
    );
    assert.equal(
      await page.getByRole('columnheader', { name: /count number/ }).getAttribute('aria-sort'),
      'descending',
    );

    await page.getByLabel('Limit', { exact: true }).fill('2');
    assert.equal((await agreement(page, /limit=2/)).length, 3);
    await page.locator('.columns summary').click();
    await page.getByRole('checkbox', { name: 'note' }).uncheck();
    await page.getByRole('button', { name: 'Move timestamp left' }).click();
    const chosen = await agreement(page, /columns=counter_type,timestamp,count/);
    assert.deepEqual(chosen[0], ['counter_type', 'timestamp', 'count']);

    await page.getByRole('button', { name: 'Remove filter count__lt=70' }).click();
    await agreement(page, /^(?!.*count__lt=)/);
    await page.getByRole('button', { name: 'Whole dataset' }).click();
    assert.equal((await agreement(page, '')).length, 21);
  },
);

browserTest('time, steps and pivot are what their URL gives', async (t, open) => {
  const page = await open((await started(t)).url);
  await page.getByRole('button', { name: '10m' }).click();
  assert.equal((await agreement(page, '?last=10m')).length, 7);
  // The next row leaves three minutes after the rows were made, as above.
  await page.getByLabel('Last', { exact: true }).last().fill('19m');
  assert.equal((await agreement(page, '?last=19m')).length, 13);
  await page
    .getByLabel('Pivot')
    .or(page.getByLabel('Columns from the values of'))
    .last()
    .selectOption('counter_type');
  const pivoted = await agreement(page, /pivot=counter_type:count/);
  assert.deepEqual(pivoted[0], ['timestamp', 'dispatch', 'pickup']);
  await page.getByLabel('Every', { exact: true }).fill('10m');
  const stepped = await agreement(page, /every=10m/);
  assert.ok(stepped.length < pivoted.length);
});

browserTest('aggregates are what their URL gives, and leave with what depends on them', async (t, open) => {
  const page = await open((await started(t)).url);
  await page.getByLabel('Aggregates', { exact: true }).fill('avg:count,rows=count');
  const whole = await agreement(page, /\?agg=avg:count,rows(=|%3D)count$/);
  assert.deepEqual(whole[0], ['count_avg', 'rows']);
  await page.getByLabel('By', { exact: true }).fill('counter_type');
  assert.equal((await agreement(page, /by=counter_type/)).length, 3);
  await page.getByLabel('Every', { exact: true }).fill('10m');
  await agreement(page, /every=10m/);
  await page.getByLabel('Empty steps', { exact: true }).selectOption('0');
  const stepped = await agreement(page, /fill=0/);
  assert.deepEqual(stepped[0], ['timestamp', 'counter_type', 'count_avg', 'rows']);
  await page.getByLabel('Aggregates', { exact: true }).fill('');
  await agreement(page, '?every=10m');
});

browserTest('drawing across the plot is a window from then to then', async (t, open) => {
  const page = await open((await started(t)).url);
  await settled(page);
  const plot = (await page.locator('.u-over').boundingBox())!;
  await page.mouse.move(plot.x + plot.width * 0.25, plot.y + 40);
  await page.mouse.down();
  await page.mouse.move(plot.x + plot.width * 0.6, plot.y + 50, { steps: 4 });
  await page.mouse.up();
  const rows = await agreement(page, /from=.*&to=/);
  assert.ok(rows.length > 3 && rows.length < 18, `${rows.length}`);
  // The same in the fields, in the service's time zone.
  const from = new URL(await shownUrl(page)).searchParams.get('from')!;
  const wall = new Date(from).toLocaleString('sv', { timeZone: 'America/New_York' }).replace(' ', 'T');
  // (As a time, not as a text: a browser leaves out seconds that are zero.)
  const field = await page.getByLabel('From', { exact: true }).inputValue();
  assert.equal(new Date(`${field}Z`).toISOString(), new Date(`${wall}Z`).toISOString());
  await page.getByLabel('Up to', { exact: true }).fill('');
  await agreement(page, /rides\?from=[^&]*$/);
});

browserTest('what is in the address is what is shown', async (t, open) => {
  const { url } = await started(t);
  const query = '?counter_type=pickup&count__gt=20&sort=-count&limit=3';
  const page = await open(url + query);
  assert.equal((await agreement(page, query)).length, 4);
  assert.equal(await page.getByLabel('Filter counter_type', { exact: true }).inputValue(), '=pickup');
  assert.equal(await page.getByLabel('Filter count', { exact: true }).inputValue(), '>20');
  await page.getByRole('button', { name: 'counter_type text' }).click();
  await agreement(page, /sort=counter_type/);
  await page.goBack();
  await agreement(page, query);
});

browserTest('a poll that lands brings its rows; place, focus and what is typed stay', async (t, open) => {
  const { rides, url } = await started(t);
  const page = await open(`${url}?sort=-timestamp`, { viewport: { width: 1000, height: 600 } });
  await settled(page);
  const scroller = page.locator('.scroller');
  await scroller.evaluate((element) => {
    element.scrollTop = 90;
  });
  const field = page.getByLabel('Filter note', { exact: true });
  await field.focus();
  await rides.land(ridesRows(Date.now() + 1_000).slice(0, 19));
  await page.getByText('19 rows', { exact: false }).last().waitFor();
  await agreement(page, '?sort=-timestamp');
  assert.equal(await scroller.evaluate((element) => element.scrollTop), 90);
  assert.equal(await page.locator(':focus').getAttribute('aria-label'), 'Filter note');
});

browserTest('markup and script in a cell are text', async (t, open) => {
  const page = await open((await started(t)).url);
  await settled(page);
  const cells = (await shownTable(page)).flat();
  assert.ok(cells.includes(MARKUP));
  assert.equal(await page.locator('.grid img, .grid script').count(), 0);
  assert.match(await page.title(), /^rides/);
});

browserTest('a mistake in the address is told in the words of the service', async (t, open) => {
  const page = await open(`${(await started(t)).url}?cuont=3`);
  await page.getByRole('alert').getByText('cuont').waitFor();
  assert.equal(await page.locator('.scroller').isHidden(), true);
  await page.getByRole('button', { name: 'Whole dataset' }).click();
  await agreement(page, '');
});

browserTest('a name that no dataset has', async (t, open) => {
  const { url } = await started(t);
  const page = await open(`${url}-of-old`);
  await page.getByText('There is no dataset rides-of-old.').waitFor();
  await page.getByRole('link', { name: 'See all datasets' }).click();
  await page.getByText('All 1 datasets').or(page.getByText('fresh')).first().waitFor();
});

browserTest('a table that is not served is named with the reason', async (t, open) => {
  const url = await startPageService(t, {
    datasets: [await ridesLog()],
    absent: (name) =>
      name === 'secrets'
        ? new DynamoCsvError('TABLE_SKIPPED', 'table secrets was found and is not read: eva may not Scan', {
            status: 503,
          })
        : undefined,
  });
  const page = await open(`${url}#/datasets/secrets`);
  await page.getByText('table secrets was found and is not read: eva may not Scan').waitFor();
});

browserTest('aggregates by a column are a line for each of its values', async (t, open) => {
  const page = await open(`${(await started(t)).url}?every=5m&agg=max:count&by=counter_type`);
  await agreement(page, /by=counter_type/);
  assert.equal(await page.getByLabel('One line per').inputValue(), 'counter_type');
});
