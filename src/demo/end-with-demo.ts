/**
 * Loaded into the service's process by the demo (`node --import`). However the demo ends, even by `kill -9`, its IPC
 * channel closes, and the service shuts down as on SIGTERM.
 */
process.once('disconnect', () => process.kill(process.pid, 'SIGTERM'));
