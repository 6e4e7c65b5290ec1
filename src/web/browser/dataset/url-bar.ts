import type { Context } from '../context.js';
import { h, type Part, setText } from '../dom.js';
import { copyButton } from '../parts/copy.js';
import { download } from '../parts/download.js';
import {
  curlCommand,
  grafanaCsvQuery,
  inDashboardTime,
  infinityQuery,
  plainUrl,
  type Reading,
} from './snippets.js';

/** The files in which rows can be saved: the parameters of each, and the ending of its name. */
const FILES = {
  excel: {
    parameters: [
      ['bom', '1'],
      ['safe', '1'],
    ],
    ending: 'csv',
  },
  csv: { parameters: [], ending: 'csv' },
  json: { parameters: [['format', 'json']], ending: 'json' },
  parquet: { parameters: [['format', 'parquet']], ending: 'parquet' },
} as const;

type File = keyof typeof FILES;

/** The URL of what is shown, always visible, and the other forms in which it can be copied. */
export function urlBar(context: Context): Part<Reading> {
  const { api, words, announce } = context;
  let reading: Reading | null = null;
  const url = h('code', { class: 'url', tabindex: 0, 'aria-label': words.copy.label });

  const copying = (label: string, title: string, text: (reading: Reading) => string) =>
    copyButton(context, label, title, () => (reading === null ? null : text(reading)));

  const picksTime = h('input', { type: 'checkbox' });
  const timeChoice = h('label', { title: words.copy.dashboardTimeHint }, picksTime, words.copy.dashboardTime);
  const grafanaQuery = (query: (reading: Reading) => object) => (what: Reading) => {
    const isInDashboardTime = picksTime.checked && what.timeColumn !== null;
    return JSON.stringify(query(isInDashboardTime ? inDashboardTime(what) : what), null, 2);
  };
  const save = async (file: File) => {
    if (reading === null) return;
    const { parameters, ending } = FILES[file];
    const own = reading.parameters.filter(([name]) => name !== 'format');
    const url = plainUrl({ ...reading, parameters: [...own, ...parameters] }, document.baseURI);
    const name = `${decodeURIComponent(reading.path.split('/')[2] ?? 'sql')}.${ending}`;
    await download(api, url, name).catch((error: Error) => announce(error.message));
  };
  const saves = h(
    'div',
    { class: 'buttons', role: 'group', 'aria-label': words.download.label },
    h('span', { class: 'quiet', 'aria-hidden': true }, words.download.label),
    (Object.keys(FILES) as File[]).map((file) =>
      h(
        'button',
        { type: 'button', title: words.download.hints[file], onclick: () => void save(file) },
        words.download.files[file],
      ),
    ),
  );
  const element = h(
    'section',
    { class: 'url-bar', 'aria-label': words.copy.label },
    url,
    h(
      'div',
      { class: 'buttons' },
      copying('URL', words.copy.urlHint, (what) => plainUrl(what, document.baseURI)),
      copying('curl', words.copy.curlHint, (what) => curlCommand(what, document.baseURI, api.hasToken)),
      copying('Grafana CSV', words.copy.grafanaHint, grafanaQuery(grafanaCsvQuery)),
      copying('Infinity', words.copy.infinityHint, grafanaQuery(infinityQuery)),
      timeChoice,
    ),
    saves,
  );
  return {
    element,
    show(next) {
      reading = next;
      timeChoice.hidden = next.timeColumn === null;
      setText(url, plainUrl(next, document.baseURI));
    },
  };
}
