import {
  FrameGeometrySourceBuilder,
  FrameGeometrySourceMode,
  MapLayerOptionsBuilder,
} from '@grafana/grafana-foundation-sdk/common';
import {
  ControlsOptionsBuilder,
  MapViewConfigBuilder,
  PanelBuilder,
  TooltipMode,
  TooltipOptionsBuilder,
} from '@grafana/grafana-foundation-sdk/geomap';
import { colours, fixedColour } from '../../src/dashboards/look.js';
import { fieldTitle, furnish, type PanelSpec, type PanelText } from '../../src/dashboards/panels/panel.js';
import type { Reading } from '../../src/dashboards/reading.js';
import { read } from '../reading.js';

export interface MapOptions<Column extends string = string> extends PanelText {
  /** Rows with `zone`, `latitude`, `longitude` and the value. */
  readonly reading: Reading<Column>;
  /** Drawn as the size of a circle. */
  readonly valueColumn: NoInfer<Column>;
  readonly valueTitle: string;
  readonly colour: string;
  readonly unit: string;
}

/**
 * The closest that fitting the circles may zoom in: a city. The plugin reads it from `zoom`, which the builder sets to 1,
 * where the whole city is one point.
 */
const CLOSEST = 14;

/** Pixels of the largest circle's radius: zones downtown stand so close that larger ones would be one blob. */
const LARGEST = 12;

/** A transparent pixel: every other way to have no base map blanks the whole map, or asks a server on the internet. */
const nothing = 'data:image/gif;base64,R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7';

/** All zones of the borough, so that the circles stand on a shape one knows. */
const outline = read('zones', ['zone', 'latitude', 'longitude'], { borough: 'Manhattan' });

/** Circles on Manhattan, without any map server: a faint dot for each zone, and a circle as large as its value. */
export function zoneMap<Column extends string>(options: MapOptions<Column>): PanelSpec {
  return {
    ...options,
    build: (flavour) =>
      furnish(new PanelBuilder(), options, flavour, [options.reading, outline])
        .unit(options.unit)
        .colorScheme(fixedColour(options.colour))
        .overrideByName(options.valueColumn, [fieldTitle(options.valueTitle)])
        .view(new MapViewConfigBuilder().id('fit').allLayers(true).padding(5).zoom(CLOSEST).maxZoom(CLOSEST))
        .controls(
          new ControlsOptionsBuilder()
            .showZoom(true)
            .mouseWheelZoom(false)
            .showAttribution(false)
            .showScale(false)
            .showDebug(false)
            .showMeasure(false),
        )
        .tooltip(new TooltipOptionsBuilder().mode(TooltipMode.Details))
        .basemap(
          new MapLayerOptionsBuilder()
            .type('xyz')
            .name('No base map')
            .config({ url: nothing, attribution: '' })
            .tooltip(false),
        )
        .layers([
          circles('Zones', 'B', colours.past, { fixed: 2, min: 2, max: 2 }, 0.6, false),
          circles(
            options.valueTitle,
            'A',
            options.colour,
            { field: options.valueColumn, fixed: 5, min: 2, max: LARGEST },
            0.6,
            true,
          ),
        ]),
  };
}

/** The plugin's marker layer for one of the panel's queries. */
function circles(
  name: string,
  refId: string,
  colour: string,
  size: Readonly<Record<string, unknown>>,
  opacity: number,
  tooltip: boolean,
): MapLayerOptionsBuilder {
  return new MapLayerOptionsBuilder()
    .type('markers')
    .name(name)
    .location(
      new FrameGeometrySourceBuilder()
        .mode(FrameGeometrySourceMode.Coords)
        .latitude('latitude')
        .longitude('longitude'),
    )
    .filterData({ id: 'byRefId', options: refId })
    .tooltip(tooltip)
    .config({
      showLegend: false,
      style: {
        color: { fixed: colour },
        opacity,
        size,
        symbol: { mode: 'fixed', fixed: 'img/icons/marker/circle.svg' },
        symbolAlign: { horizontal: 'center', vertical: 'center' },
        rotation: { mode: 'mod', fixed: 0, min: -360, max: 360 },
        textConfig: { fontSize: 12, offsetX: 0, offsetY: 0, textAlign: 'center', textBaseline: 'middle' },
      },
    });
}
