/**
 * Loads the demo, for the command `dynamo-csv demo`. A CommonJS module of its own: scripts with a code cache, such as the
 * bundle that the command is in, cannot `import` a file.
 */
const loadDemo = () => import('./run.js');

export = loadDemo;
