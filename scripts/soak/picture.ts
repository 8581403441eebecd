import type { Outage } from './outages.ts';
import type { Sample } from './watch.ts';

const WIDTH = 860;
const HEIGHT = 470;
const LEFT = 64;
const RIGHT = 64;
const PLOT_WIDTH = WIDTH - LEFT - RIGHT;
/** At most one point of a line in so many pixels, however long the run: the largest of its time. */
const POINT_PIXELS = 2;

const MEMORY: Panel = { top: 70, height: 170 };
const WAITING: Panel = { top: 280, height: 130 };

const INK = '#22272e';
const FAINT = '#d8dce2';
const BLUE = '#1f5fa8';
const GREEN = '#1d7a45';
const VIOLET = '#8a3ea8';
const BANDS = { redis: '#f6d3c9', trap: '#f7e7b4' };

interface Panel {
  readonly top: number;
  readonly height: number;
}

interface Scale {
  readonly max: number;
  readonly step: number;
}

/**
 * Draws a run: memory above, what waits and the spool below, over time, with shaded bands where
 * Redis or the trap was away. SVG on a ground of its own, so that it reads on dark pages too.
 */
export function picture(samples: readonly Sample[], outages: readonly Outage[]): string {
  const seconds = Math.max(1, samples.at(-1)?.atS ?? 1);
  const x = (atS: number): number => LEFT + (PLOT_WIDTH * Math.min(atS, seconds)) / seconds;
  const memory = samples.map((one) => one.residentMiB ?? 0);
  const pending = samples.map((one) => one.pending / 1000);
  const spool = samples.map((one) => one.spoolMiB);
  const [ofMemory, ofPending, ofSpool] = [scaleOf(memory), scaleOf(pending), scaleOf(spool)];
  const at = samples.map((one) => x(one.atS));
  const parts = [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img"`,
    ` width="${WIDTH}" height="${HEIGHT}" font-family="sans-serif" font-size="12" fill="${INK}">`,
    `<title>A collector under load: memory, waiting samples and spool over time</title>`,
    `<rect width="100%" height="100%" fill="#ffffff"/>`,
    text(LEFT, 24, `statcol under load for ${spanOf(seconds)}`, 'font-size="15" font-weight="600"'),
    ...legend(),
    ...[MEMORY, WAITING].flatMap((panel) => bands(outages, panel, x)),
    ...grid(MEMORY, ofMemory, 'memory (RSS), MiB', BLUE),
    ...grid(WAITING, ofPending, 'waiting samples, thousands', GREEN),
    ...rightAxis(WAITING, ofSpool, 'spool, MiB'),
    ...timeAxis(seconds, x),
    line(at, memory, MEMORY, { scale: ofMemory, color: BLUE }),
    line(at, spool, WAITING, { scale: ofSpool, color: VIOLET }),
    line(at, pending, WAITING, { scale: ofPending, color: GREEN }),
    '</svg>',
  ];
  return `${parts.join('\n')}\n`;
}

function legend(): string[] {
  const bandKey = (left: number, color: string, words: string): string[] => [
    `<rect x="${left}" y="34" width="18" height="12" fill="${color}"/>`,
    text(left + 24, 44, words),
  ];
  const lineKey = (left: number, color: string, words: string): string[] => [
    `<path d="M${left} 40h18" stroke="${color}" stroke-width="2"/>`,
    text(left + 24, 44, words),
  ];
  return [
    ...lineKey(LEFT, BLUE, 'memory'),
    ...lineKey(LEFT + 100, GREEN, 'waiting samples'),
    ...lineKey(LEFT + 245, VIOLET, 'spool (right)'),
    ...bandKey(LEFT + 375, BANDS.redis, 'Redis away'),
    ...bandKey(LEFT + 485, BANDS.trap, 'trap refuses or hangs'),
  ];
}

/** All bands of a kind are one path: a long run has hundreds. */
function bands(
  outages: readonly Outage[],
  { top, height }: Panel,
  x: (atS: number) => number,
): string[] {
  return (['redis', 'trap'] as const).map((kind) => {
    const boxes = outages
      .filter((one) => one.of === kind)
      .map(({ fromS, toS }) => {
        const [from, to] = [tenth(x(fromS)), tenth(x(toS))];
        return `M${from} ${top}H${to}v${height}H${from}z`;
      });
    return `<path d="${boxes.join('')}" fill="${BANDS[kind]}"/>`;
  });
}

function grid(panel: Panel, scale: Scale, title: string, color: string): string[] {
  const lines = ticksOf(scale).flatMap((value) => {
    const y = yOf(value, panel, scale);
    return [
      `<path d="M${LEFT} ${y}h${PLOT_WIDTH}" stroke="${FAINT}"/>`,
      text(LEFT - 8, y + 4, String(value), 'text-anchor="end"'),
    ];
  });
  return [...lines, sideways(16, panel, title, color)];
}

function rightAxis(panel: Panel, scale: Scale, title: string): string[] {
  const right = LEFT + PLOT_WIDTH;
  const labels = ticksOf(scale).map((value) =>
    text(right + 8, yOf(value, panel, scale) + 4, String(value)),
  );
  return [...labels, sideways(WIDTH - 12, panel, title, VIOLET)];
}

function timeAxis(seconds: number, x: (atS: number) => number): string[] {
  const isShort = seconds < 100;
  const unit = isShort ? 1 : 60;
  const scale = scaleOf([seconds / unit], 10);
  const y = WAITING.top + WAITING.height + 18;
  const labels = ticksOf(scale)
    .filter((value) => value * unit <= seconds * 1.01)
    .map((value) => text(tenth(x(value * unit)), y, String(value), 'text-anchor="middle"'));
  const title = isShort ? 'time, seconds' : 'time, minutes';
  return [...labels, text(LEFT + PLOT_WIDTH / 2, y + 24, title, 'text-anchor="middle"')];
}

/** The largest value of each few pixels, joined. */
function line(
  at: readonly number[],
  values: readonly number[],
  panel: Panel,
  { scale, color }: { scale: Scale; color: string },
): string {
  const largest = new Map<number, number>();
  for (const [index, value] of values.entries()) {
    const column = Math.round(at[index]! / POINT_PIXELS) * POINT_PIXELS;
    largest.set(column, Math.max(value, largest.get(column) ?? 0));
  }
  const points = [...largest].map(([column, value]) => `${column} ${yOf(value, panel, scale)}`);
  const stroke = `stroke="${color}" stroke-width="1.5" stroke-linejoin="round"`;
  return `<path d="M${points.join('L')}" fill="none" ${stroke}/>`;
}

/** From 0 to a round number above all values, in steps of 1, 2 or 5 times a power of ten. */
function scaleOf(values: readonly number[], count = 4): Scale {
  const most = Math.max(...values, 1e-3);
  const power = 10 ** Math.floor(Math.log10(most / count));
  const step = [1, 2, 5, 10].map((one) => one * power).find((one) => one * count >= most)!;
  return { max: step * Math.ceil(most / step), step };
}

function ticksOf({ max, step }: Scale): number[] {
  return Array.from({ length: Math.round(max / step) + 1 }, (_, at) =>
    Number((at * step).toFixed(6)),
  );
}

function yOf(value: number, { top, height }: Panel, { max }: Scale): number {
  return tenth(top + height - (height * value) / max);
}

function sideways(left: number, { top, height }: Panel, words: string, color: string): string {
  const y = top + height / 2;
  const turn = `transform="rotate(-90 ${left} ${y})" text-anchor="middle"`;
  return text(left, y, words, `${turn} style="fill:${color}"`);
}

function text(left: number, y: number, words: string, more = ''): string {
  return `<text x="${left}" y="${y}"${more && ` ${more}`}>${words}</text>`;
}

function tenth(value: number): number {
  return Math.round(value * 10) / 10;
}

function spanOf(seconds: number): string {
  return seconds < 100 ? `${Math.round(seconds)} seconds` : `${tenth(seconds / 60)} minutes`;
}
