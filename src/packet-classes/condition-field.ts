/**
What a condition tests: a field as the packet was sent, or as it was changed on the path.
*/

import type {Endpoint} from '../netfilter/path.js';
import type {Hook, Match} from '../netfilter/types.js';
import type {PacketFacts} from '../judge/explain/packet-facts.js';
import type {FieldName, Fields} from './fields.js';
import {printValue} from './values.js';
import type {Origin} from './packet-space.js';

/** The source or destination of a packet after translations; undefined if unchanged. */
export type Bound = Endpoint | 'unknown' | undefined;

/** The part of a packet's path that determines what a condition tests. */
export type Progress = {readonly hook: Hook; readonly inInterface: string | undefined; readonly from: Bound; readonly to: Bound; readonly isMarkSent: boolean};

/** The field that a kind of condition tests, if a sender chooses it. */
export const fieldOf: Partial<Record<Match['kind'], FieldName>> = {
	protocol: 'protocol', source: 'source', destination: 'destination', 'source-port': 'source-port', 'destination-port': 'destination-port', uid: 'uid', gid: 'gid', mark: 'mark',
};

/** Whether a field still has its sent value. */
export function isAsSent(field: FieldName, {isMarkSent, from, to, hook, inInterface}: Progress, origin: Origin): boolean {
	switch (field) {
		case 'source':
		case 'source-port': {
			return from === undefined;
		}

		case 'destination':
		case 'destination-port': {
			return to === undefined;
		}

		case 'uid':
		case 'gid': {
			// Elsewhere there is no socket (see `socketAt`), or it is not the sender's.
			return origin === 'pod' && inInterface === undefined && (hook === 'output' || hook === 'postrouting');
		}

		case 'mark': {
			return isMarkSent;
		}

		case 'protocol':
		case 'packet': {
			return true;
		}
	}
}

/** Whether it is after a translation whose result the rule does not show, or about a socket that only the kernel knows. */
export function isUnknownThere(field: FieldName | undefined, {from, to, hook}: Progress): boolean {
	switch (field) {
		case 'source':
		case 'source-port': {
			return from === 'unknown';
		}

		case 'destination':
		case 'destination-port': {
			return to === 'unknown';
		}

		case 'uid':
		case 'gid': {
			return hook === 'input';
		}

		case 'protocol':
		case 'mark':
		case 'packet':
		case undefined: {
			return false;
		}
	}
}

/** A packet with another value in a field. */
export function withValue(facts: PacketFacts, field: FieldName, {value, fields}: {readonly value: bigint; readonly fields: Fields}): PacketFacts {
	const {source, destination} = facts;
	const socket = {uid: 0, gid: 0};
	switch (field) {
		case 'protocol': {
			return {...facts, protocol: fields.protocols[Number(value)] as PacketFacts['protocol']};
		}

		case 'source': {
			return {...facts, source: {...source, address: printValue(fields, field, value)}};
		}

		case 'destination': {
			return {...facts, destination: {...destination, address: printValue(fields, field, value)}};
		}

		case 'source-port': {
			return {...facts, source: {...source, port: Number(value)}};
		}

		case 'destination-port': {
			return {...facts, destination: {...destination, port: Number(value)}};
		}

		case 'uid':
		case 'gid': {
			return {...facts, socket: {...socket, [field]: Number(value)}};
		}

		case 'mark': {
			return {...facts, mark: Number(value)};
		}

		case 'packet': {
			return facts;
		}
	}
}

