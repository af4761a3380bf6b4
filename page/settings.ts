/**
How somebody wants the page to look: kept in the browser, nowhere else.
*/

/** The colors, the size of the type, and how fast the packet goes. */
export type Settings = {readonly theme: 'system' | 'light' | 'dark'; readonly size: 'normal' | 'large' | 'huge'; readonly speed: 'slow' | 'normal' | 'fast'};

const standard: Settings = {theme: 'system', size: 'normal', speed: 'normal'};
const key = 'testbed-page';

/** The milliseconds of one step. */
export const stepMs = {slow: 2200, normal: 1100, fast: 450} as const satisfies Record<Settings['speed'], number>;

/** What was kept. */
export function loadSettings(): Settings {
	try {
		return {...standard, ...JSON.parse(localStorage.getItem(key) ?? '{}') as Partial<Settings>};
	} catch {
		return standard;
	}
}

/** Keeps them, and lets the page look so. */
export function saveSettings(settings: Settings): void {
	applySettings(settings);
	try {
		localStorage.setItem(key, JSON.stringify(settings));
	} catch {} // Without a place to keep them they hold until the page is closed.
}

/** Lets the page look so. */
export function applySettings({theme, size}: Settings): void {
	const {dataset} = document.documentElement;
	dataset['size'] = size;
	if (theme === 'system') {
		delete dataset['theme'];
	} else {
		dataset['theme'] = theme;
	}
}
