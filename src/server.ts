/** `npm start`: the service on the configuration that `CONFIG` names, by default the fleet's. The package's command is `bin.ts`. */

import { server } from './programs.js';

process.exitCode = await server(process.argv.slice(2));
