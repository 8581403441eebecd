/** A colour in Oklab: lightness from 0 to 1, and the two axes of hue. */
type Oklab = readonly [lightness: number, a: number, b: number];

/** Steps of a scale from "few" to "many". */
const STEPS = 256;

/*
 * Both scales change evenly in lightness, which is what the eye reads as more, and which stays when
 * hues are not told apart: on light ground more is darker, on dark ground more is brighter.
 */
const LIGHT: readonly Oklab[] = [
  [0.955, -0.005, -0.018],
  [0.82, -0.02, -0.085],
  [0.66, 0.03, -0.14],
  [0.5, 0.1, -0.12],
  [0.36, 0.12, -0.05],
  [0.2, 0.07, 0.005],
];
const DARK: readonly Oklab[] = [
  [0.25, 0.0, -0.045],
  [0.37, 0.03, -0.13],
  [0.51, 0.12, -0.11],
  [0.66, 0.16, 0.02],
  [0.81, 0.06, 0.12],
  [0.96, -0.01, 0.1],
];

/** Colours of a heatmap, from few to many, each as `0xAABBGGRR`: as a canvas' pixel is stored. */
export type HeatColours = Uint32Array;

/** Returns the colours of a heatmap on light or on dark ground. */
export function heatColours(isDark: boolean): HeatColours {
  const stops = isDark ? DARK : LIGHT;
  return Uint32Array.from({ length: STEPS }, (_, step) => {
    const at = (step / (STEPS - 1)) * (stops.length - 1);
    const index = Math.min(stops.length - 2, Math.floor(at));
    const [from, to] = [stops[index]!, stops[index + 1]!];
    return pixelOf(from.map((part, axis) => part + (at - index) * (to[axis]! - part)));
  });
}

/** Returns a colour of the scale as CSS reads it; `share` from 0 to 1. */
export function cssColour(colours: HeatColours, share: number): string {
  const pixel = colours[Math.round(share * (colours.length - 1))]!;
  return `rgb(${pixel & 255} ${(pixel >> 8) & 255} ${(pixel >> 16) & 255})`;
}

/** Source: Björn Ottosson, "A perceptual color space for image processing" (2020). */
function pixelOf([lightness = 0, a = 0, b = 0]: number[]): number {
  const long = (lightness + 0.3963377774 * a + 0.2158037573 * b) ** 3;
  const medium = (lightness - 0.1055613458 * a - 0.0638541728 * b) ** 3;
  const small = (lightness - 0.0894841775 * a - 1.291485548 * b) ** 3;
  const red = channel(4.0767416621 * long - 3.3077115913 * medium + 0.2309699292 * small);
  const green = channel(-1.2684380046 * long + 2.6097574011 * medium - 0.3413193965 * small);
  const blue = channel(-0.0041960863 * long - 0.7034186147 * medium + 1.707614701 * small);
  return ((255 << 24) | (blue << 16) | (green << 8) | red) >>> 0;
}

/** From linear light to a byte of sRGB. */
function channel(linear: number): number {
  const light = Math.min(1, Math.max(0, linear));
  const coded = light <= 0.0031308 ? 12.92 * light : 1.055 * light ** (1 / 2.4) - 0.055;
  return Math.round(255 * coded);
}
