import { PanelBuilder } from '@grafana/grafana-foundation-sdk/dashboard';
import type { PanelSpec, PanelText } from './panel.js';

/** Grafana's own list of alerts, of those that fire or are about to. It asks no data source. */
export function alertList(text: PanelText): PanelSpec {
  const [x, y, w, h] = text.at;
  return {
    ...text,
    build() {
      const panel = new PanelBuilder()
        .id(text.id)
        .title(text.title)
        .description(text.description)
        .gridPos({ x, y, w, h });
      return { build: () => ({ ...panel.build(), type: 'alertlist', options }) };
    },
  };
}

/** The library has no builder for this panel; these are the options its editor writes. */
const options = {
  viewMode: 'list',
  groupMode: 'default',
  groupBy: [],
  maxItems: 20,
  sortOrder: 3,
  dashboardAlerts: false,
  alertName: '',
  alertInstanceLabelFilter: '',
  datasource: '-- Grafana --',
  showInactiveAlerts: false,
  stateFilter: { firing: true, pending: true, recovering: true, noData: true, normal: false, error: true },
};
