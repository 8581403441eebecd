import { type HeatColours, heatColours } from './palette.ts';

/** The colours that are drawn with; those of the rest are in style.css, where these come from. */
export interface Theme {
  isDark: boolean;
  ink: string;
  muted: string;
  line: string;
  surface: string;
  accent: string;
  accentSoft: string;
  heat: HeatColours;
}

const DARK = matchMedia('(prefers-color-scheme: dark)');

/** Returns the colours of the moment: light or dark, as the system is set. */
export function readTheme(): Theme {
  const style = getComputedStyle(document.documentElement);
  const colour = (name: string): string => style.getPropertyValue(`--${name}`).trim();
  return {
    isDark: DARK.matches,
    ink: colour('ink'),
    muted: colour('muted'),
    line: colour('line'),
    surface: colour('surface'),
    accent: colour('accent'),
    accentSoft: colour('accent-soft'),
    heat: heatColours(DARK.matches),
  };
}

/** Calls back when the system turns light or dark. */
export function onThemeChange(callback: () => void): void {
  DARK.addEventListener('change', callback);
}
