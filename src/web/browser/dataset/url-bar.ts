import type { Context } from '../context.js';
import { h, type Part, setText } from '../dom.js';
import { copyText } from '../parts/copy.js';
import {
  curlCommand,
  grafanaCsvQuery,
  inDashboardTime,
  infinityQuery,
  plainUrl,
  type Reading,
} from './snippets.js';

/** Milliseconds that a button confirms that it copied. */
const SAID = 1_500;

/** The URL of what is shown, always visible, and the other forms in which it can be copied. */
export function urlBar({ api, words, announce }: Context): Part<Reading> {
  let reading: Reading | null = null;
  const url = h('code', { class: 'url', tabindex: 0, 'aria-label': words.copy.label });

  const copyButton = (label: string, title: string, text: (reading: Reading) => string) => {
    const button = h('button', { type: 'button', title }, label);
    let timer: ReturnType<typeof setTimeout> | undefined;
    button.addEventListener('click', async () => {
      if (reading === null) return;
      const done = await copyText(text(reading)).then(
        () => true,
        () => false,
      );
      announce(done ? words.copy.copied(label) : words.copy.failed);
      button.dataset.said = done ? words.copy.done : words.copy.failed;
      clearTimeout(timer);
      timer = setTimeout(() => delete button.dataset.said, SAID);
    });
    return button;
  };

  const save = h(
    'button',
    {
      type: 'button',
      title: words.copy.saveHint,
      onclick: () => reading !== null && void download(reading),
    },
    words.copy.save,
  );
  const download = async (what: Reading) => {
    const response = await api.fetch(plainUrl(what, document.baseURI));
    const href = URL.createObjectURL(await response.blob());
    h('a', { href, download: `${what.path.split('/')[2] ?? 'sql'}.csv` }).click();
    URL.revokeObjectURL(href);
  };

  const picksTime = h('input', { type: 'checkbox' });
  const timeChoice = h('label', { title: words.copy.dashboardTimeHint }, picksTime, words.copy.dashboardTime);
  const grafanaQuery = (query: (reading: Reading) => object) => (what: Reading) => {
    const isInDashboardTime = picksTime.checked && what.timeColumn !== null;
    return JSON.stringify(query(isInDashboardTime ? inDashboardTime(what) : what), null, 2);
  };
  const element = h(
    'section',
    { class: 'url-bar', 'aria-label': words.copy.label },
    url,
    h(
      'div',
      { class: 'buttons' },
      copyButton('URL', words.copy.urlHint, (what) => plainUrl(what, document.baseURI)),
      copyButton('curl', words.copy.curlHint, (what) => curlCommand(what, document.baseURI, api.hasToken)),
      copyButton('Grafana CSV', words.copy.grafanaHint, grafanaQuery(grafanaCsvQuery)),
      copyButton('Infinity', words.copy.infinityHint, grafanaQuery(infinityQuery)),
      timeChoice,
      save,
    ),
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
