/**
What everybody looks at. Every change has a number, so that a page can tell what is newer.
*/

import type {NumberedView, View} from '../../src/workshop/protocol.js';

/** The view, and how often it was changed. */
export class SharedView {
	#view: View = {step: null, panel: 'send', example: 0};
	#viewNumber = 0;

	/** The view with its number. */
	get news(): NumberedView {
		return {view: this.#view, viewNumber: this.#viewNumber};
	}

	/** Changes parts of the view. */
	show(parts: Partial<View>): void {
		this.#view = {...this.#view, ...parts};
		this.#viewNumber++;
	}
}
