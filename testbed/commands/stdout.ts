/**
What a command prints on stdout.
*/

import process from 'node:process';
import {visibleText} from '../../src/report/visible-text.js';

let isWatched = false;

/** A reader that has seen enough (`| head`) has what it asked for. */
function onError(error: NodeJS.ErrnoException): void {
	if (error.code !== 'EPIPE') {
		throw error;
	}
}

/** Writes text in which nothing acts on a terminal but our own colours. Resolves when the text is out: who exits before loses what a pipe has not taken yet. */
export async function writeOut(text: string): Promise<void> {
	if (!isWatched) {
		process.stdout.on('error', onError);
		isWatched = true;
	}

	await new Promise<void>(resolve => {
		process.stdout.write(visibleText(text), () => {
			resolve();
		});
	});
}
