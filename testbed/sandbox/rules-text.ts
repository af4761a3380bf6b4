/**
Parses installed rules as the tools print them. Replays use this too, so nothing here runs a program.
*/

import {parseText, type RulesText} from '../../src/netfilter/rule-texts.js';
import type {RuleSet} from '../../src/netfilter/types.js';
import {traceTable} from './own-table.js';

/**
Parses the installed rules that the tools printed, without the testbed's own table.

@throws {ParseError} if a text is not such a tool's output.
*/
export function parseInstalled(installed: readonly RulesText[]): RuleSet {
	return {
		// Nothing is printed for a family without tables.
		tables: installed.filter(({text}) => text.trim() !== '').flatMap(each => parseText(each).tables).filter(({name}) => name !== traceTable),
	};
}
