/**
What is still on its way in the namespaces of a sandbox, as the kernel tells it.

All hosts of a sandbox are on this machine, so the kernel knows every packet. A packet is in the receive queue of a processor (`backlog.ts`), waits for the address of a neighbor, or will be sent by a timer of TCP; or it has arrived, or is gone. So that nothing is on its way can be known, however slow the machine is, without a guess at how long something takes.
*/

import {readFileSync} from 'node:fs';
import {receiveNow, openRouteSocket, sendDatagram} from '../syscalls/netlink-socket.js';
import {closeDescriptor, errno} from '../syscalls/netns.js';
import {waitReadable} from '../syscalls/poll.js';
import {TestbedError} from '../errors.js';
import {parseFrame, protocolNumbers} from '../../src/trace/decode/packet.js';
import {Backlog} from './backlog.js';
import {
	isAcknowledgementExpected, neighborRequest, packetsIn, readNeighbors,
} from './kernel-tables.js';
import type {Netns} from './netns.js';

/** The kernel has the next datagram ready by the time that one was received; this guards against one that has not. */
const waitMs = 5000;

/** What passes lo was sent and received by it. */
const countsOfLo = 2;

/** Looks into some namespaces. Its creator disposes of it. */
export class PacketWatch implements Disposable {
	readonly #namespaces: readonly Netns[];
	readonly #quiet: Netns;
	readonly #backlog: Backlog;
	readonly #buffer = new Uint8Array(1 << 16);

	/**
	@param namespaces All that packets pass; they must have their interfaces.
	@param quiet One of these, whose lo is up and that has no rules.
	@throws {TestbedError} SYSCALL_FAILED.
	*/
	constructor(namespaces: readonly Netns[], quiet: Netns) {
		this.#namespaces = namespaces;
		this.#quiet = quiet;
		this.#backlog = quiet.enter(() => new Backlog());
	}

	/** How many packets were sent and received so far, other than its own. A packet counts as soon as it is in a receive queue. */
	get packets(): number {
		const all = this.#namespaces.reduce((sum, netns) => sum + netns.enter(() => packetsIn(readFileSync('/proc/thread-self/net/dev', 'latin1'))), 0);
		return all - (countsOfLo * this.#backlog.sent);
	}

	/** Whether an Ethernet frame, captured in one of the namespaces, is one of the watch's own datagrams. */
	isOwn(netns: Netns, frame: Uint8Array): boolean {
		const header = netns === this.#quiet ? parseFrame(frame) : undefined;
		return header?.protocol === protocolNumbers.udp && [header.source, header.destination].every(({address, port}) => address === '127.0.0.1' && port === this.#backlog.port);
	}

	/** Waits until the kernel has processed all packets that are in its receive queues now, except for packets that these have caused; {@link packets} tells whether there are such. Returns false if it does not. */
	drain(): boolean {
		return this.#backlog.drain(1);
	}

	/**
	Whether the kernel will do something by itself that can bring an answer: a packet waits for the address of a neighbor, or a connection waits for an acknowledgement. `firstPackets` is how often a first packet without an answer must have been sent again.

	@throws {TestbedError} COMMAND_FAILED if the kernel's tables cannot be read.
	*/
	isAnyExpected({firstPackets}: {readonly firstPackets: number}): boolean {
		try {
			return this.#namespaces.some(netns => netns.enter(() => this.#isNeighborAskedFor() || ['tcp', 'tcp6'].some(name => isAcknowledgementExpected(readFileSync(`/proc/thread-self/net/${name}`, 'latin1'), firstPackets))));
		} catch (error) {
			throw error instanceof RangeError ? new TestbedError('COMMAND_FAILED', {message: `What is on its way in the namespaces is not known: ${error.message}.`, cause: error}) : error;
		}
	}

	[Symbol.dispose](): void {
		this.#backlog[Symbol.dispose]();
	}

	/** Whether packets wait for some neighbor of this thread's namespace. */
	#isNeighborAskedFor(): boolean {
		const fd = openRouteSocket();
		try {
			sendDatagram(fd, neighborRequest());
			for (let isAny = false; ;) {
				const length = receiveNow(fd, this.#buffer);
				if (length < 0) {
					if (length === -errno.EINTR || (length === -errno.EAGAIN && waitReadable([fd], waitMs).length > 0)) {
						continue;
					}

					throw new RangeError(`the kernel does not list its neighbors: error number ${-length}`);
				}

				const {isDone, isAnyIncomplete} = readNeighbors(this.#buffer.subarray(0, length));
				isAny ||= isAnyIncomplete;
				if (isDone) {
					return isAny;
				}
			}
		} finally {
			closeDescriptor(fd);
		}
	}
}
