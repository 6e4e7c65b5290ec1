/**
 * Loaded into the service's process by the demo (`node --import`): however the demo ends, by `kill -9` too, the channel
 * to it closes then, and the service ends as if it were told to.
 */
process.once('disconnect', () => process.kill(process.pid, 'SIGTERM'));
