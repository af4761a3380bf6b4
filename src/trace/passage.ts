/**
Which base chains a packet must have passed if it arrived. A chain without a matching rule is one message, and if that is lost, no other message shows it.
*/

import {baseChainOf} from '../netfilter/built-in.js';
import {conntrackNeedOf} from '../netfilter/conntrack-need.js';
import {isNatTable} from '../netfilter/lookup.js';
import type {Traversal} from '../netfilter/path.js';
import type {BaseChain, Hook, Table} from '../netfilter/types.js';
import type {TracedPacket} from './packets.js';

/**
The base chains of the given tables that a packet which arrived must have passed but that its trace does not show, as `nat POSTROUTING`.

A packet of a local socket passes OUTPUT and POSTROUTING, and over `lo` also PREROUTING and INPUT; an incoming one passes PREROUTING and INPUT. Nat does not process it again over `lo`, and not at all if conntrack ignores it or is off.
*/
export function chainsMissed({traversals, isInvalid}: TracedPacket, tables: readonly Table[]): readonly string[] {
	const seen = new Set(traversals.map(({hook}) => hook));
	const isSent = seen.has('output') || seen.has('postrouting');
	const isNatAsked = isInvalid !== true && conntrackNeedOf(tables) !== 'no';
	const isReceived = seen.has('prerouting') || seen.has('input') || traversals.some(({hook, outInterface}) => hook === 'postrouting' && outInterface === 'lo');
	return tables.flatMap(table => {
		const shown = traversals.filter(traversal => traversal.family === table.family && traversal.table === table.name);
		return table.chains
			.filter(chain => {
				const base = baseChainOf(table, chain);
				return base !== undefined && isPassed(base, {isSent, isReceived, isNatAsked: isNatAsked && shown.length > 0}) && shown.every(traversal => traversal.chain !== chain.name);
			})
			.map(({name}) => `${table.name} ${name}`);
	});
}

/** Nat processes a sent packet only when it is sent, and ignores what conntrack ignores. */
function isPassed({type, hook}: BaseChain, {isSent, isReceived, isNatAsked}: {readonly isSent: boolean; readonly isReceived: boolean; readonly isNatAsked: boolean}): boolean {
	if (type === 'nat' && !isNatAsked) {
		return false;
	}

	if (hook === 'output' || hook === 'postrouting') {
		return isSent;
	}

	return (hook === 'prerouting' || hook === 'input') && isReceived && !(isSent && type === 'nat');
}

/** Whether a packet can meet a chain of these tables at all, by where it entered: native nft tables have chains only where they have rules, and nat ignores invalid packets, or everything if no rule turns conntrack on. True if it is not known where the packet entered. */
export function canMeetChain({entry, isInvalid}: Pick<TracedPacket, 'entry' | 'isInvalid'>, tables: readonly Table[]): boolean {
	if (entry === undefined) {
		return tables.length > 0;
	}

	const hooks: readonly Hook[] = entry === 'prerouting' ? ['prerouting', 'input'] : ['output', 'postrouting'];
	const isNatAsked = isInvalid !== true && conntrackNeedOf(tables) !== 'no';
	return tables.some(table => table.chains.some(chain => {
		const base = baseChainOf(table, chain);
		return base !== undefined && hooks.includes(base.hook) && (isNatAsked || base.type !== 'nat');
	}));
}

/** Whether nat did not process a packet although it processes each that begins a connection: not before some rule turns conntrack on, not for an invalid packet, and not for one that a rule exempts from conntrack, nor for one that was dropped before. */
export function isLeftOutByNat({entry, isInvalid}: Pick<TracedPacket, 'entry' | 'isInvalid'>, traversals: readonly Traversal[], tables: readonly Table[]): boolean {
	const natTables = tables.filter(table => isNatTable(table));
	if (entry === undefined || isInvalid === true || conntrackNeedOf(tables) !== 'yes' || traversals.some(({end}) => end.by !== 'open' && end.verdict === 'drop') || traversals.some(({hits}) => hits.some(({text = ''}) => /\bnotrack\b/iu.test(text)))) {
		return false;
	}

	const hasChain = natTables.some(table => table.chains.some(chain => baseChainOf(table, chain)?.hook === entry));
	return hasChain && traversals.every(({family, table}) => !natTables.some(nat => nat.family === family && nat.name === table));
}
