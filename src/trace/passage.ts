/**
Which base chains a packet must have passed if it arrived. A chain without a matching rule is one message, and when that is lost no other message shows it.
*/

import type {Hook, Table} from '../netfilter/types.js';
import type {TracedPacket} from './packets.js';

/**
The base chains of the given tables that a packet which arrived must have passed and that its trace does not show, as `nat POSTROUTING`.

A packet of a local socket passes OUTPUT and POSTROUTING, and over `lo` PREROUTING and INPUT as well; one that comes in passes PREROUTING and INPUT. Nat does not look at it again over `lo`, and not at all where conntrack leaves it out.
*/
export function chainsMissed({traversals}: TracedPacket, tables: readonly Table[]): readonly string[] {
	const seen = new Set(traversals.map(({hook}) => hook));
	const isSent = seen.has('output') || seen.has('postrouting');
	const isReceived = seen.has('prerouting') || seen.has('input') || traversals.some(({hook, outInterface}) => hook === 'postrouting' && outInterface === 'lo');
	return tables.flatMap(table => {
		const shown = traversals.filter(traversal => traversal.family === table.family && traversal.table === table.name);
		if (table.name === 'nat' && shown.length === 0) {
			return [];
		}

		const passed: readonly Hook[] = [
			...(isSent ? ['output', 'postrouting'] as const : []),
			...(isReceived && !(isSent && table.name === 'nat') ? ['prerouting', 'input'] as const : []),
		];
		return passed
			.map(hook => hook.toUpperCase())
			.filter(chain => table.chains.some(({name, policy}) => name === chain && policy !== undefined) && shown.every(traversal => traversal.chain !== chain))
			.map(chain => `${table.name} ${chain}`);
	});
}
