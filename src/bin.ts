#!/usr/bin/env node
/** The command `dynamo-csv`. */

import { command } from './programs.js';

// The SDK is part of this package: whoever runs it cannot update it. The versions of Node that work are in package.json.
process.env.AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED ??= 'true';

process.exitCode = await command(process.argv.slice(2));
