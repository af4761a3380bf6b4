/**
Keys of the whole page. A key that somebody types into a field, or with Ctrl, Alt or Meta, is not one of them.
*/

import {useEffect, useLayoutEffect, useRef} from 'preact/hooks';

/** What keys do, by their names as the browser gives them. */
export type Keys = Readonly<Record<string, (event: KeyboardEvent) => void>>;

/** Lets keys do something as long as the component is there. `isFirst`: before all others, which then do not get them. */
export function useKeys(keys: Keys, {isFirst = false}: {readonly isFirst?: boolean} = {}): void {
	// Effects run after the page is painted. Until then a second key would find what the first one found, and be lost.
	const newest = useRef(keys);
	useLayoutEffect(() => {
		newest.current = keys;
	});

	useEffect(() => {
		const onKey = (event: KeyboardEvent): void => {
			const act = isTyping(event) || event.ctrlKey || event.metaKey || event.altKey ? undefined : newest.current[event.key];
			if (act === undefined || (event.key === ' ' && isPressable(event))) {
				return;
			}

			event.preventDefault();
			if (isFirst) {
				event.stopImmediatePropagation();
			}

			act(event);
		};

		addEventListener('keydown', onKey, {capture: isFirst});
		return () => {
			removeEventListener('keydown', onKey, {capture: isFirst});
		};
	}, [isFirst]);
}

function isTyping({target}: KeyboardEvent): boolean {
	return target instanceof HTMLElement && ['INPUT', 'TEXTAREA', 'SELECT'].includes(target.tagName);
}

/** The space bar presses what has the focus. */
function isPressable({target}: KeyboardEvent): boolean {
	return target instanceof HTMLElement && ['BUTTON', 'A', 'SUMMARY'].includes(target.tagName);
}
