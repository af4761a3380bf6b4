/**
The result of a probe, as its socket tells it.
*/

import {connectSocket, probeErrors, socketError} from '../syscalls/probe-socket.js';
import type {InvalidPacket} from './invalid-packet.js';
import {states, steps} from './protocol.js';

/** A state of `protocol.ts` with its error number; `invalid` is a raw socket that stays open for its answer. */
export type Outcome = {readonly state: number; readonly error: number; readonly invalid?: InvalidPacket};

/** The outcome of a probe that failed in a step. */
export function failed(step: typeof steps[number], error: number): Outcome {
	return {state: states.failed + steps.indexOf(step), error};
}

/** The outcome that a repeated `connect` on a connecting socket reports. */
export function outcomeOf(error: number): Outcome {
	switch (error) {
		case 0:
		case probeErrors.EISCONN: {
			return {state: states.connected, error: 0};
		}

		case probeErrors.EALREADY: {
			return {state: states.pending, error: 0};
		}

		case probeErrors.ECONNREFUSED: {
			return {state: states.refused, error};
		}

		default: {
			return {state: states.unreachable, error};
		}
	}
}

/** The state of a connection so far. An error of ICMP that arrives while the socket is in connect(2) is only noted, until one answers the repeated packet (`tcp_v4_err` in net/ipv4/tcp_ipv4.c); but SO_ERROR tells it (`sk_err_soft`, socket(7)), so nobody has to wait a second for that. */
export function outcomeOfTcp(fd: number, to: Uint8Array): Outcome {
	const outcome = outcomeOf(connectSocket(fd, to));
	const error = outcome.state === states.pending ? socketError(fd) : 0;
	return error === 0 ? outcome : outcomeOf(error);
}

/** The answer to one packet; undefined if there is none. */
export function outcomeOfDatagram(fd: number, invalid: InvalidPacket | undefined): Outcome | undefined {
	const error = invalid === undefined ? socketError(fd) : (invalid.isRefused() ? probeErrors.ECONNREFUSED : 0);
	return error === 0 ? undefined : outcomeOf(error);
}
