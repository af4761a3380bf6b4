/**
Published descriptions of how a mesh redirects traffic, as data. They say what was published, not what is true: the kernel decides that.
*/

import type {Role} from './roles.js';

/** The types of traffic that published routes cover. */
export type PublishedTypeId = '1' | '2' | '3' | '4' | '5' | '6';

/** One step of a published route. */
export type PublishedStep =
	| {readonly kind: 'actor'; readonly name: string}
	| {readonly kind: 'listener'; readonly port: number}
	| {readonly kind: 'chain'; readonly chain: string}
	| {readonly kind: 'rule'; readonly chain: string; readonly number: number; readonly role: Role};

/** A published route, as steps and in the testbed's notation. */
export type PublishedType = {readonly name: string; readonly path: readonly PublishedStep[]; readonly notation: readonly string[]};

/** The claims of one source about one mesh. */
export type PublishedClaims = {
	/** The source of the claims. */
	readonly source: string;
	readonly types: Readonly<Record<PublishedTypeId, PublishedType>>;
	/** The only table that the source covers, by its iptables name. */
	readonly table: string;
	/** The proxy's two capturing listeners, as the source numbers them. */
	readonly ports: {readonly outbound: number; readonly inbound: number};
	/** Roles whose rules let a packet go because of its owner, so that the owner explains a difference. */
	readonly ownerRoles: {
		/** Lets the proxy's UID go. */
		readonly byUid: Role;
		/** Lets the proxy's GID go. */
		readonly byGid: Role;
		/** On lo, lets every other UID go. */
		readonly foreignUidOnLoopback: Role;
	};
};

/** One step in the testbed's notation. */
export function printPublishedStep(step: PublishedStep): string {
	switch (step.kind) {
		case 'actor': {
			return step.name;
		}

		case 'listener': {
			return `proxy:${step.port}`;
		}

		case 'chain': {
			return step.chain;
		}

		case 'rule': {
			return `${step.chain}#${step.number}`;
		}
	}
}
