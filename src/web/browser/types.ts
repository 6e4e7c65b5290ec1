import type { Static } from 'typebox';
import type { CatalogueJson, ColumnSchema, DatasetJson } from '../../http/schemas.js';

/** The JSON responses of the service, typed by the schemas of its routes. */
export type ColumnJson = Static<typeof ColumnSchema>;
export type { CatalogueJson, DatasetJson };
export type Freshness = DatasetJson['freshness'];
