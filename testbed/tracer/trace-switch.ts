/**
Turns tracing on in a namespace, for one round of probes after the other.
*/

import {ownerSets} from '../../src/trace/owner-sets.js';
import {flushSets} from '../sandbox/flush-set.js';
import type {Netns} from '../sandbox/netns.js';
import {openNetfilterSocket} from '../syscalls/netlink-socket.js';
import {closeDescriptor} from '../syscalls/netns.js';
import {traceTableText, type TraceChoice} from './trace-table.js';

const bufferBytes = 65_536;

/** The trace table of one namespace, in which nobody else creates it. */
export class TraceSwitch implements Disposable {
	readonly #netns: Netns;
	/** What the table there traces; undefined if that is not known. */
	#choice: string | undefined;
	#isFirst = true;
	#fd: number | undefined;

	constructor(netns: Netns) {
		this.#netns = netns;
	}

	/**
	Turns tracing on, without the owners of earlier packets. A table that traces the same is kept, and only its sets are emptied: another one would take some 20 ms.

	@throws {TestbedError} COMMAND_FAILED if the kernel refuses.
	*/
	async turnOn({hasInvalid, hasAnswers = false}: TraceChoice): Promise<void> {
		const choice = JSON.stringify({hasInvalid, hasAnswers});
		if (this.#choice === choice) {
			this.#fd ??= this.#netns.enter(() => openNetfilterSocket(bufferBytes));
			try {
				flushSets(this.#fd, ownerSets.map(({name}) => name));
			} catch (error) {
				this[Symbol.dispose]();
				throw error;
			}

			return;
		}

		this.#choice = undefined;
		const isFirst = this.#isFirst;
		this.#isFirst = false;
		await this.#netns.runConfined('nft', ['-f', '-'], {input: traceTableText({hasInvalid, hasAnswers, isFirst})});
		this.#choice = choice;
	}

	[Symbol.dispose](): void {
		if (this.#fd !== undefined) {
			closeDescriptor(this.#fd);
			this.#fd = undefined;
		}
	}
}
