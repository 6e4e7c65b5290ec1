import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { zones } from '../../dashboards/fleet.js';
import { textWidth } from './font.js';
import { kioskHeight, panelWidth, tableColumns, tableRows, titleWidths } from './geometry.js';
import { type DashboardJson, dashboardsOf, flavourNames, type PanelJson, panelsOf } from './provisioning.js';
import { BACKGROUNDS, contrast, over, READABLE, shadesOf, textOn } from './shades.js';

/** Whether people can read what Grafana draws, by the rules in docs/grafana.md: each of these was seen in a real one. */

/** Windows of a phone, a laptop, a desk and a wall. */
const WINDOWS = [400, 1_280, 1_600, 1_920] as const;
const WALL_HEIGHT = 1_080;
/** Hours and weeks. */
const LONGEST_NAME = 12;
/** A gauge's number stands beside a bar of at least this width. */
const BAR = 24;

for (const flavour of flavourNames) {
  describe(`layout, flavour ${flavour}`, () => {
    const dashboards = dashboardsOf(flavour);
    const panels = dashboards.flatMap((dashboard) =>
      panelsOf(dashboard).map((panel) => ({ dashboard, panel })),
    );
    const tables = panels.filter(({ panel }) => panel.type === 'table');
    const nameOf = (dashboard: DashboardJson, panel: PanelJson) => `${dashboard.uid}: ${panel.title}`;

    for (const window of WINDOWS) {
      test(`every title is readable in a window of ${window} px, with the menu open`, () => {
        for (const { dashboard, panel } of panels) {
          const { has, needs } = titleWidths(panel, window);
          const name = nameOf(dashboard, panel);
          assert.ok(needs <= has, `${name} needs ${Math.ceil(needs)} px and has ${Math.floor(has)}`);
        }
      });

      test(`every heading of a table is readable in a window of ${window} px`, () => {
        for (const { dashboard, panel } of tables) {
          for (const { title, width } of tableColumns(panel, window).columns) {
            const needs = textWidth(title, 14, 500);
            const name = `${nameOf(dashboard, panel)}, column ${title}`;
            assert.ok(needs <= width, `${name} needs ${Math.ceil(needs)} px and has ${Math.floor(width)}`);
          }
        }
      });

      test(`names of zones go on in the next line at a word's end in a window of ${window} px`, () => {
        for (const { dashboard, panel } of tables) {
          for (const { title, width, isWrapped } of tableColumns(panel, window).columns) {
            if (!/^(Zone|Next zone|From|To)$/.test(title)) continue;
            assert.ok(isWrapped, `${nameOf(dashboard, panel)}, column ${title} cuts what is too long`);
            for (const word of zones.flatMap((zone) => zone.split(/[ /]/))) {
              assert.ok(textWidth(word, 14) <= width, `${nameOf(dashboard, panel)} cuts ${word}`);
            }
          }
        }
      });
    }

    test('no table hides a column, from the laptop on', () => {
      for (const { dashboard, panel } of tables) {
        for (const window of WINDOWS.slice(1)) {
          const { total, room } = tableColumns(panel, window);
          assert.ok(
            total < room + 1,
            `${nameOf(dashboard, panel)} needs ${total} px and has ${room} at ${window}`,
          );
        }
      }
    });

    test('bar charts show the names of their bars', () => {
      const charts = panels.filter(({ panel }) => panel.type === 'barchart');
      assert.equal(charts.length, 4);
      for (const { dashboard, panel } of charts) {
        // Grafana cuts a name after so many characters, all of it after none; without the option it cuts nothing.
        const { xTickLabelMaxLength = Number.POSITIVE_INFINITY } = panel.options;
        assert.ok(Number(xTickLabelMaxLength) >= LONGEST_NAME, `${nameOf(dashboard, panel)} cuts its names`);
      }
    });

    test('numbers on shades can be read in both themes', () => {
      const shaded = tables.filter(({ panel }) => shadesOf(panel).length > 0);
      assert.equal(shaded.length, 1);
      for (const { dashboard, panel } of shaded) {
        for (const [theme, background] of Object.entries(BACKGROUNDS)) {
          for (const shade of shadesOf(panel)) {
            const seen = contrast(textOn(shade, theme), over(shade, background));
            const name = `${nameOf(dashboard, panel)}, ${shade} in the ${theme} theme`;
            assert.ok(seen >= READABLE, `${name}: ${seen.toFixed(1)}`);
          }
        }
      }
    });

    test('bars of tables have room beside their numbers', () => {
      for (const { dashboard, panel } of tables) {
        for (const { title, width } of barsOf(panel, 1_280)) {
          const needs = textWidth('53,817', 14) + BAR;
          assert.ok(
            needs <= width,
            `${nameOf(dashboard, panel)}, column ${title} has ${Math.floor(width)} px`,
          );
        }
      }
    });

    test('the hours of a day and the weekdays of a week are all seen, with numbers of four digits', () => {
      const [heat] = tables.filter(({ panel }) => panel.title === 'Rides by hour and weekday');
      const { columns } = tableColumns(heat!.panel, 1_280);
      assert.deepEqual(
        columns.map(({ title }) => title),
        ['Hour', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat', 'Sun'],
      );
      for (const { width, title } of columns.slice(1)) assert.ok(textWidth('2,801', 14) <= width, title);
      assert.ok(tableRows(heat!.panel) >= 24, `${tableRows(heat!.panel)} hours`);
    });

    test('Fleet now fits a wall of 1920×1080 in kiosk mode, and no table on it has to be scrolled', () => {
      const fleetNow = dashboards.find(({ uid }) => uid === 'fleet-now')!;
      const height = kioskHeight(fleetNow);
      assert.ok(height <= WALL_HEIGHT, `${height} px`);
      for (const panel of fleetNow.panels.filter(({ type }) => type === 'table')) {
        const limit = Number(limitOf(panel));
        // The list of unassigned taxis is empty as a rule, and their number stands beside it.
        if (limit < 100)
          assert.ok(limit <= tableRows(panel), `${panel.title} shows ${tableRows(panel)} rows`);
      }
    });

    test('the circles of a map are spread over it, and not one blob', () => {
      const maps = panels.filter(({ panel }) => panel.type === 'geomap');
      assert.equal(maps.length, 2);
      for (const { panel } of maps) {
        const { zoom } = panel.options.view as { zoom: number };
        // Web Mercator: the whole world is 256 px at zoom 0. Manhattan is a fifth of a degree from end to end.
        const pixels = (256 * 2 ** zoom * 0.2) / 360;
        assert.ok(pixels > panelWidth(panel, 1_920), `at most ${pixels.toFixed(1)} px from end to end`);
      }
    });

    test("a panel's own time does not take the place of its title", () => {
      for (const { dashboard, panel } of panels) {
        const { timeFrom, hideTimeOverride } = panel as { timeFrom?: string; hideTimeOverride?: boolean };
        assert.equal(hideTimeOverride ?? false, timeFrom !== undefined, nameOf(dashboard, panel));
      }
    });

    test('a single measurement is a point, and the first bar of a series is whole', () => {
      for (const { dashboard, panel } of panels.filter(({ panel }) => panel.type === 'timeseries')) {
        const custom = panel.fieldConfig!.defaults.custom as { showPoints: string };
        assert.equal(custom.showPoints, 'auto', nameOf(dashboard, panel));
        for (const { matcher, properties } of overridesOf(panel)) {
          const of = (id: string) => properties.find((property) => property.id === `custom.${id}`)?.value;
          if (of('drawStyle') === 'bars') assert.equal(of('barAlignment'), 1, matcher.options);
        }
      }
    });

    test('changes of alerts leave no marks on the plots', () => {
      for (const { uid, annotations } of dashboards) {
        const marks = annotations.list.filter(({ builtIn }) => builtIn === 1);
        // Grafana adds them where a dashboard does not say otherwise.
        assert.deepEqual(
          marks.map(({ enable }) => enable),
          [false],
          uid,
        );
      }
    });

    test('several figures or lines have one order with either plugin', () => {
      for (const { dashboard, panel } of panels) {
        const shown = overridesOf(panel).map(({ matcher }) => matcher.options);
        if (!/^(stat|timeseries)$/.test(panel.type) || shown.length < 2) continue;
        const [order] = (panel.transformations ?? []).filter(({ id }) => id === 'organize');
        assert.ok(order, `${nameOf(dashboard, panel)} leaves the order to the plugin`);
        const ordered = Object.keys(order.options.indexByName as object);
        assert.deepEqual(
          ordered.filter((name) => shown.includes(name)),
          shown,
          nameOf(dashboard, panel),
        );
      }
    });
  });
}

interface Override {
  readonly matcher: { readonly options: string };
  readonly properties: readonly { readonly id: string; readonly value: unknown }[];
}

const overridesOf = (panel: PanelJson) => (panel.fieldConfig?.overrides ?? []) as unknown as Override[];

function barsOf(panel: PanelJson, window: number) {
  const bars = overridesOf(panel)
    .filter(({ properties }) =>
      properties.some(({ value }) => (value as { type?: string })?.type === 'gauge'),
    )
    .map(({ matcher }) => matcher.options);
  return tableColumns(panel, window).columns.filter(({ title }) => bars.includes(title));
}

/** The `limit` that a panel's query asks for, with either plugin. */
function limitOf({ targets }: PanelJson): string {
  const [{ params, url_options }] = targets as [
    { params?: [string, string][]; url_options?: { params: { key: string; value: string }[] } },
  ];
  const pairs = params ?? url_options!.params.map(({ key, value }) => [key, value] as const);
  return pairs.find(([key]) => key === 'limit')![1];
}
