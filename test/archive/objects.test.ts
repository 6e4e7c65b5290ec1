import { MemoryObjects } from './memory-objects.js';
import { testObjectStore } from './object-store-suite.js';

testObjectStore('in memory', async () => new MemoryObjects());
