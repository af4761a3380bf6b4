/**
Rules as the tools print them after they were installed. A replay reads them as well, so nothing here runs a program.
*/

import {parseNft} from '../../src/netfilter/nftables/ruleset.js';
import {parseSave} from '../../src/netfilter/iptables/save.js';
import type {AddressFamily, RuleSet} from '../../src/netfilter/types.js';
import {switchTable} from './own-table.js';

/** What a tool printed of one family's rules; of native nft, which has all families in one text, `family` is null. */
export type RulesText = {readonly family: AddressFamily | null; readonly text: string};

/**
The rules that the tools printed after they were installed, without the testbed's own table.

@throws {ParseError} when a text is not what such a tool prints.
*/
export function parseHeld(held: readonly RulesText[]): RuleSet {
	return {
		tables: held.flatMap(({family, text}) => {
			if (family === null) {
				return parseNft(text).tables.filter(({name}) => name !== switchTable);
			}

			// A namespace that holds no table of a family has nothing to print.
			return text.trim() === '' ? [] : parseSave(text, family).tables;
		}),
	};
}
