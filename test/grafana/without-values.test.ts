import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { colours } from '../../src/dashboards/look.js';
import { NO_ANSWER } from '../../src/dashboards/panels/panel.js';
import { dashboardsOf, flavourNames, type JsonObject, type PanelJson, panelsOf } from './provisioning.js';

/** What people see where there is no value, and where there is no answer at all, by the rules in docs/grafana.md. */

/** What a panel needs beside its `noValue` to say something when its queries failed: these draw nothing then. */
const SILENT = ['geomap', 'alertlist'];

for (const flavour of flavourNames) {
  describe(`without values, flavour ${flavour}`, () => {
    const panels = dashboardsOf(flavour).flatMap((dashboard) =>
      panelsOf(dashboard).map((panel) => ({ panel, name: `${dashboard.uid}: ${panel.title}` })),
    );

    test('a panel without a response says that the service does not answer', () => {
      for (const { panel, name } of panels) {
        if (SILENT.includes(panel.type)) continue;
        assert.match(textOfNothing(panel) ?? '', /service does not answer$/, name);
      }
    });

    test('a figure without an answer looks neither good nor bad, and not measured', () => {
      for (const { panel, name } of panels.filter(({ panel }) => panel.type === 'stat')) {
        assert.equal(textOfNothing(panel), NO_ANSWER, name);
        const { mode, fixedColor } = panel.fieldConfig!.defaults.color as JsonObject;
        assert.deepEqual([mode, fixedColor], ['fixed', colours.past], name);
        assert.equal(panel.fieldConfig!.defaults.thresholds, undefined, name);
      }
    });

    test('a figure without a value says why there is none', () => {
      for (const { panel, name } of panels.filter(({ panel }) => panel.type === 'stat')) {
        for (const properties of overridesOf(panel)) {
          const text = property(properties, 'noValue') as string;
          assert.ok(text.length > 5 && text !== NO_ANSWER, `${name}: "${text}"`);
          if ((property(properties, 'color') as JsonObject | undefined)?.mode !== 'thresholds') continue;
          // The lowest colour may be the one of an alert.
          const mapped = (property(properties, 'mappings') as Mapping[]).find(
            ({ type }) => type === 'special',
          );
          assert.deepEqual(mapped?.options.result, { text, color: colours.look, index: 0 }, name);
        }
      }
    });

    test('a panel without rows says so in its first column; other cells show a dash', () => {
      for (const { panel, name } of panels.filter(({ panel }) => panel.type === 'table')) {
        const [first, ...others] = overridesOf(panel).map((properties) => property(properties, 'noValue'));
        assert.ok(first !== undefined && first !== NO_ANSWER, name);
        for (const other of others) assert.match(String(other), /^–?$/, name);
      }
    });

    test('a label that is left out on the axis of a bar chart shows nothing', () => {
      for (const { panel, name } of panels.filter(({ panel }) => panel.type === 'barchart')) {
        const label = overridesOf(panel, panel.options.xField as string)[0]!;
        assert.equal(property(label, 'noValue'), '', name);
      }
    });

    test('an empty answer is a sentence in a plot too: the row that it is padded with is dropped', () => {
      for (const { panel, name } of panels.filter(({ panel }) =>
        /^(timeseries|barchart)$/.test(panel.type),
      )) {
        const [first] = panel.transformations!;
        assert.equal(first!.id, 'filterByValue', name);
        assert.deepEqual([first!.options.type, first!.options.match], ['exclude', 'any'], name);
      }
    });

    test('every answer has a row, so that "no value" and "no answer" are not the same', () => {
      for (const { panel, name } of panels) {
        for (const target of panel.targets ?? []) {
          assert.match(JSON.stringify(target), /"pad","1"|"key":"pad","value":"1"/, name);
        }
      }
    });
  });
}

test('both plugins say the same where nothing is chosen', () => {
  const [csv, infinity] = flavourNames.map((flavour) =>
    textOfNothing(
      panelsOf(dashboardsOf(flavour).find(({ uid }) => uid === 'fleet-week')!).find(({ id }) => id === 22)!,
    ),
  );
  assert.equal(csv, 'No zone is chosen, or the service does not answer');
  assert.equal(csv, infinity);
});

interface Mapping {
  readonly type: string;
  readonly options: JsonObject;
}

interface Property {
  readonly id: string;
  readonly value: unknown;
}

/** What Grafana writes when it has no field at all: what the panel's own settings make of null. */
function textOfNothing({ fieldConfig }: PanelJson): string | undefined {
  const { mappings = [], noValue } = fieldConfig!.defaults as { mappings?: Mapping[]; noValue?: string };
  const special = mappings.find(({ type }) => type === 'special');
  return ((special?.options.result as JsonObject | undefined)?.text as string | undefined) ?? noValue;
}

/** The properties of each field, or of one. */
function overridesOf(panel: PanelJson, field?: string): Property[][] {
  return panel
    .fieldConfig!.overrides.filter(
      ({ matcher }) => field === undefined || (matcher as JsonObject).options === field,
    )
    .map(({ properties }) => properties as unknown as Property[]);
}

const property = (properties: readonly Property[], id: string) =>
  properties.find((candidate) => candidate.id === id)?.value;
