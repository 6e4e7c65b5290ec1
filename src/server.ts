/** `npm start`: the service on the configuration that `CONFIG` names, by default the fleet's. The package's command is `bin.ts`. */

import { server } from './programs.js';

// As in `bin.ts`.
process.env.AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED ??= 'true';

process.exitCode = await server(process.argv.slice(2));
