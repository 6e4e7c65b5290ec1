import { ALL_HERE, type DayFiles } from '../history/day-files.js';

/** The files of sealed days as the service has them now: it may collect today and follow tomorrow. */
export class CurrentDayFiles implements DayFiles {
  #files: DayFiles = ALL_HERE;

  use(files: DayFiles): void {
    this.#files = files;
  }

  tryHold: DayFiles['tryHold'] = (paths) => this.#files.tryHold(paths);
  hold: DayFiles['hold'] = (paths, signal) => this.#files.hold(paths, signal);
  mayLeave: DayFiles['mayLeave'] = (path) => this.#files.mayLeave(path);
  mayChange: DayFiles['mayChange'] = (path) => this.#files.mayChange(path);
  departuresOf: DayFiles['departuresOf'] = (dataset) => this.#files.departuresOf(dataset);
  columnsOf: DayFiles['columnsOf'] = (path) => this.#files.columnsOf(path);
  learn: DayFiles['learn'] = (columns) => this.#files.learn(columns);
}
