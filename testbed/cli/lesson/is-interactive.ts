/**
Whether a person can be asked. A file of its own, because what asks is loaded only then.
*/

import process from 'node:process';

/** Whether both ends are terminals on which a line can be drawn again. */
export function isInteractive(): boolean {
	return process.stdin.isTTY && process.stdout.isTTY && process.env['TERM'] !== 'dumb';
}
